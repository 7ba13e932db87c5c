"""What every route answers that sends a code."""

from typing import Self

from pydantic import BaseModel

from auth_service.otp.model import Challenge


class Sent(BaseModel):
    """A code is on its way. `expires_in`, `resend_after`: seconds."""

    message: str
    challenge: str
    channel: str
    expires_in: int
    resend_after: int

    @classmethod
    def of(cls, challenge: Challenge, message: str) -> Self:
        """Tell of the challenge."""
        return cls(
            message=message,
            challenge=challenge.handle,
            channel=challenge.channel,
            expires_in=challenge.expires_in,
            resend_after=challenge.resend_after,
        )
