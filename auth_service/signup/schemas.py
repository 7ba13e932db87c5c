"""Bodies and answers of the combined flow."""

from typing import Self

from pydantic import Field, model_validator

from auth_service.device.schemas import SendBody
from auth_service.otp.model import Code
from auth_service.otp.schemas import ChallengeHandle
from auth_service.session.schemas import SignInBody
from auth_service.user.schemas import Name, PhoneBody


class SignupBody(PhoneBody, SignInBody, SendBody):
    """With `name`: requests a code. With `otp`: signs in, or up, with the code received."""

    name: Name | None = Field(None, description="how the user is to be called")
    otp: Code | None = Field(None, description="the code received, six digits")
    challenge: ChallengeHandle = None

    @model_validator(mode="after")
    def _require_name_or_code(self) -> Self:
        if self.mobile is None:
            raise ValueError("send phone_number")
        if self.otp is None and self.name is None:
            raise ValueError("send name to ask for a code, or otp to use one")
        return self
