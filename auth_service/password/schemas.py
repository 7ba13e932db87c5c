"""Bodies and answers of forgotten, replaced and changed passwords."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from auth_service.device.schemas import DeviceBody, SendBody
from auth_service.otp.model import Code
from auth_service.otp.schemas import ChallengeHandle, CodeBody
from auth_service.password.model import GivenPassword, NewPassword
from auth_service.user.schemas import GivenUsername, PhoneBody

MAX_TICKET = 200


class NameBody(PhoneBody):
    """Base of bodies that name an account in one of three ways."""

    email: str | None = Field(None, max_length=254, description="one mail address")
    username: GivenUsername | None = None

    @property
    def names(self) -> int:
        """The number of names."""
        return sum(name is not None for name in (self.email, self.mobile, self.username))

    @model_validator(mode="after")
    def _require_one_name(self) -> Self:
        if self.names != 1:
            raise ValueError("send either email or mobile or username")
        return self


class ForgotBody(NameBody, SendBody):
    """The account whose password is forgotten."""


class VerifyResetBody(NameBody, CodeBody):
    """The code, and the account whose password is to be replaced."""


class ResetBody(NameBody, DeviceBody):
    """A new password, with a ticket or with a name and its code."""

    reset_ticket: str | None = Field(None, max_length=MAX_TICKET, description="from a code or mail")
    otp: Code | None = Field(None, description="in place of a ticket, with a name")
    challenge: ChallengeHandle = None
    new_password: NewPassword

    @model_validator(mode="after")
    def _require_one_name(self) -> Self:
        by_ticket = self.reset_ticket is not None
        by_code = self.otp is not None and self.names == 1
        if by_ticket == by_code or (by_ticket and (self.names or self.otp or self.challenge)):
            raise ValueError("send either reset_ticket, or email or mobile or username and otp")
        return self


class ChangeBody(DeviceBody):
    """The current password and the new one."""

    current_password: GivenPassword
    new_password: NewPassword


class ResetTicketResponse(BaseModel):
    """A ticket that sets a password, once, within `expires_in` seconds."""

    reset_ticket: str
    expires_in: int


class PasswordStored(BaseModel):
    """The new password is valid from now on."""

    message: str
