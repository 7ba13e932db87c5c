"""The body of `POST /login`, which is one of three."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from auth_service.device.schemas import SendBody
from auth_service.otp.model import Code
from auth_service.otp.schemas import ChallengeHandle
from auth_service.password.model import GivenPassword
from auth_service.session.schemas import SignInBody
from auth_service.user.schemas import GivenUsername, PhoneBody
from shared.validation import EMPTY_IS_VALUE


class LoginBody(PhoneBody, SignInBody, SendBody):
    """`mobile` or `email` requests a code, and signs in with `otp`. Or: a name and a `password`."""

    email: str | None = Field(None, max_length=254, description="one mail address")
    username: GivenUsername | None = Field(None, description="with a password")
    # An empty password asks for no code: its sender did not want one.
    password: Annotated[GivenPassword | None, EMPTY_IS_VALUE] = Field(
        None, description="with a username or an email"
    )
    otp: Code | None = Field(None, description="the code received, six digits")
    challenge: ChallengeHandle = None

    @model_validator(mode="after")
    def _require_one_credential(self) -> Self:
        by_password = self.password is not None
        names = (self.username, self.email) if by_password else (self.mobile, self.email)
        others = (self.mobile, self.otp, self.challenge) if by_password else (self.username,)
        if sum(name is not None for name in names) != 1 or any(
            other is not None for other in others
        ):
            raise ValueError(
                "send mobile or email, with otp or without, or username or email and password"
            )
        return self
