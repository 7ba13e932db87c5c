"""Bodies and answers that several features share: requesting and proving a code."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from auth_service.device.schemas import DeviceBody
from auth_service.otp.model import Challenge, Code, Handle

ChallengeHandle = Annotated[
    Handle | None, Field(description="`challenge` of the 202, so that only its code counts")
]


class CodeBody(DeviceBody):
    """Base of bodies that carry a code."""

    otp: Code = Field(description="the code received, six digits")
    challenge: ChallengeHandle = None


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
