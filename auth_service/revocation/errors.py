"""Refusals of revocation."""

from shared.errors import Retriable


class RevocationPending(Retriable):
    """It is revoked and stored, but other services may not know yet; the call may be repeated."""

    code, status, title = "revocation_pending", 503, "Revoked, but not yet known everywhere"
