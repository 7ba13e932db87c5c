"""Bodies and answers of registration."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from auth_service.otp.model import Code, Handle
from auth_service.otp.schemas import Sent
from auth_service.password.model import NewPassword
from auth_service.session.schemas import TokenIssuing
from auth_service.user.schemas import AddressBody, Name, Username


class RegisterBody(BaseModel):
    """Who somebody says they are; the code goes to the mobile, or else to the email."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mobile: str | None = Field(None, max_length=40, description="E.164, or national at home")
    email: str | None = Field(None, max_length=254, description="one mail address")
    username: Username | None = None
    password: NewPassword | None = Field(None, description="needs an email")
    first_name: Name | None = None
    last_name: Name | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.mobile is None and self.email is None:
            message = "send mobile or email"
            raise ValueError(message)
        if self.password is not None and self.email is None:
            message = "a password needs an email"
            raise ValueError(message)
        return self


class Registered(Sent):
    """A registration waits for the code that is on its way."""

    user_id: UUID


class ResendBody(AddressBody):
    """Where the activation code is to go again."""


class VerifyBody(AddressBody, TokenIssuing):
    """The activation code, and where it went."""

    otp: Code = Field(description="the code received, six digits")
    challenge: Handle | None = Field(None, description="what the answer named, to mean that code")
