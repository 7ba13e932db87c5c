"""Errors of sessions."""

from collections.abc import Sequence

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


class MfaRequired(DomainError):
    """The user has a second factor, and nothing in this request proves one."""

    code, status, title = "mfa_required", 403, "Prove a second factor"
    advice = (
        "Prove a second factor, by one of `methods`: after a sign-in POST /v1/auth/mfa/verify with "
        "the `mfa_ticket`, within `expires_in` seconds; else send it to the same address"
    )

    def __init__(
        self, methods: Sequence[str], ticket: str | None = None, expires_in: int | None = None
    ) -> None:
        """Keep how a factor can be proven; a sign-in goes on with the ticket."""
        super().__init__()
        self.methods, self.ticket, self.expires_in = methods, ticket, expires_in

    def members(self) -> dict[str, object]:
        """Return the methods, and of a sign-in the ticket and its life in seconds."""
        ticket = {"mfa_ticket": self.ticket, "expires_in": self.expires_in} if self.ticket else {}
        return {"methods": list(self.methods), **ticket}


class StepUpRequired(DomainError):
    """The caller's last authentication is too old for this operation."""

    code, status, title = "step_up_required", 403, "Prove your identity again"
    advice = (
        "Prove your identity again: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
