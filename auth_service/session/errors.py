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


class StepUpRequired(DomainError):
    """The caller's last authentication is too old for this operation."""

    code, status, title = "step_up_required", 403, "Prove your identity again"
    advice = (
        "Prove your identity again: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
