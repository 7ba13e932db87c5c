"""Bodies and answers of registration."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from auth_service.device.schemas import SendBody
from auth_service.otp.model import Handle
from auth_service.otp.schemas import ChallengeResponse, CodeBody
from auth_service.password.model import NewPassword
from auth_service.session.schemas import SignInBody
from auth_service.user.schemas import AddressBody, Name, PhoneBody, Username


class RegisterBody(PhoneBody, SendBody):
    """The claimed identity; the code goes to the mobile, or else to the email."""

    email: str | None = Field(None, max_length=254, description="one mail address")
    username: Username | None = None
    password: NewPassword | None = Field(None, description="needs an email")
    first_name: Name | None = None
    last_name: Name | None = None

    @model_validator(mode="after")
    def _require_address(self) -> Self:
        if self.mobile is None and self.email is None:
            raise ValueError("send mobile or email")
        if self.password is not None and self.email is None:
            raise ValueError("a password needs an email")
        return self


class Registered(ChallengeResponse):
    """A registration waits for the code that is on its way."""

    user_id: UUID


class ResendBody(AddressBody, SendBody):
    """The address to send the activation code to again.

    With the `challenge` of its own registration the code keeps that registration whole, if it comes
    back with its own `challenge`. Otherwise it proves the address alone.
    """

    challenge: Handle | None = Field(
        None,
        description="`challenge` of `/register` or `/resend-otp`; without it, here and in "
        "`/verify-otp`, a resent code drops password, username and names",
    )


class VerifyBody(AddressBody, SignInBody, CodeBody):
    """The activation code, and the address that it was sent to."""

    challenge: Handle | None = Field(
        None,
        description="`challenge` of the `/register` or `/resend-otp` that sent this code; without "
        "it a resent code drops password, username and names",
    )
