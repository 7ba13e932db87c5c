"""Errors of idempotency keys."""

from shared.errors import DomainError, Retriable


class RequestInProgress(Retriable):
    """The first request with this key still runs."""

    code, status, title = "request_in_progress", 409, "An earlier request still runs"
    advice = "The first request with this key still runs; wait for its answer"


class IdempotencyMismatch(DomainError):
    """The key belongs to another request."""

    code, status, title = "idempotency_mismatch", 422, "This key was used for another request"


IDEMPOTENCY_ERRORS = (RequestInProgress, IdempotencyMismatch)
"""Why an idempotency key may be refused."""
