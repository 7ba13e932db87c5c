"""Errors of sessions."""

from shared.errors import DomainError, Unauthorized


class RefreshInvalid(Unauthorized):
    """The refresh token was never issued, or its session is over."""

    code, title = "refresh_invalid", "The refresh token is not valid"


class RefreshReused(Unauthorized):
    """The refresh token was exchanged before: it was copied, so its session is revoked."""

    code, title = "refresh_reused", "The refresh token was used before; the session is ended"
    advice = "The refresh token was used before; the session is ended; sign in again"


class AccountDisabled(DomainError):
    """The account exists and may not sign in."""

    code, status, title = "account_disabled", 403, "The account is disabled"
