"""Errors of sessions."""

from collections.abc import Mapping, Sequence

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
        "Prove a second factor, by one of `methods`. In a sign-in, POST the proof with the "
        "`mfa_ticket` to /v1/auth/mfa/verify within `expires_in` seconds; in a step-up, POST it to "
        "/v1/auth/step-up"
    )

    def __init__(
        self,
        methods: Sequence[str],
        ticket: str | None = None,
        expires_in: int | None = None,
        *,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """Keep how a factor can be proven; a sign-in goes on with the ticket.

        `options`: what a passkey is asked with in a step-up.
        """
        super().__init__()
        self.methods, self.ticket, self.expires_in = methods, ticket, expires_in
        self.options = options or {}

    def members(self) -> dict[str, object]:
        """Return the methods, and of a sign-in the ticket and its life in seconds."""
        ticket = {"mfa_ticket": self.ticket, "expires_in": self.expires_in} if self.ticket else {}
        return {"methods": list(self.methods), **ticket, **self.options}


class MfaEnrolmentRequired(DomainError):
    """A role of the user demands a second factor, and there is none."""

    code, status, title = "mfa_enrolment_required", 403, "Add a second factor"
    advice = (
        "Add a second factor with the `mfa_ticket`: POST /v1/auth/me/factors/totp and confirm it, "
        "or POST /v1/auth/me/factors/passkeys/options and add the passkey. Where there is a "
        "`channel`, a code is on its way by it: send it as `otp`"
    )

    def __init__(self, ticket: str, expires_in: int, channel: str | None) -> None:
        """Keep the ticket that a factor is added with; `channel`: of the code that was sent."""
        super().__init__()
        self.ticket, self.expires_in, self.channel = ticket, expires_in, channel

    def members(self) -> dict[str, object]:
        """Return the ticket, its life in seconds, and the channel of the code if one was sent."""
        channel = {"channel": self.channel} if self.channel else {}
        return {"mfa_ticket": self.ticket, "expires_in": self.expires_in, **channel}


class StepUpRequired(DomainError):
    """The caller's last authentication is too old for this operation."""

    code, status, title = "step_up_required", 403, "Prove your identity again"
    advice = (
        "Prove your identity again: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
