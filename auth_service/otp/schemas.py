"""Bodies and answers that several features share: requesting and proving a code."""

from typing import Self

from pydantic import BaseModel, Field

from auth_service.device.schemas import DeviceBody
from auth_service.otp.model import Challenge, Code, Handle


class CodeBody(DeviceBody):
    """Base of bodies that carry a code."""

    otp: Code = Field(description="the code received, six digits")
    challenge: Handle | None = Field(None, description="what the 202 named, to mean that very code")


class ChallengeResponse(BaseModel):
    """A code is on its way. `expires_in`, `resend_after`: seconds."""

    message: str
    challenge: str
    channel: str
    expires_in: int
    resend_after: int

    @classmethod
    def of(cls, challenge: Challenge, message: str) -> Self:
        """Return the answer for the challenge."""
        return cls(
            message=message,
            challenge=challenge.handle,
            channel=challenge.channel,
            expires_in=challenge.expires_in,
            resend_after=challenge.resend_after,
        )
