"""Refusals of a repeated request."""

from shared.errors import DomainError, Retriable


class RequestInProgress(Retriable):
    """The first request with this key still runs."""

    code, status, title = "request_in_progress", 409, "The first request with this key still runs"


class IdempotencyMismatch(DomainError):
    """The key belongs to another request."""

    code, status, title = "idempotency_mismatch", 422, "This key was used for another request"
