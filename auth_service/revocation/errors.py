"""Refusals of revocation."""

from shared.errors import Retriable


class RevocationPending(Retriable):
    """It is stored, but other services may not know it yet; the client may repeat the call."""

    code, status, title = "revocation_pending", 503, "Revoked, but not yet known everywhere"
