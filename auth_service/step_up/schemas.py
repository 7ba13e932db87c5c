"""The body and the answer of `POST /step-up`."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from auth_service.device.schemas import DeviceBody
from auth_service.otp.model import Code
from auth_service.otp.schemas import ChallengeHandle
from auth_service.password.model import GivenPassword
from shared.validation import EMPTY_IS_VALUE


def _token_is_optional(schema: dict[str, Any]) -> None:
    schema["required"] = ["expires_in"]


class StepUpBody(DeviceBody):
    """An empty body requests a code; `otp` or `password` proves the user's identity.

    A user with an authenticator app sends its code as `otp`, and nothing else is enough.
    """

    password: Annotated[GivenPassword | None, EMPTY_IS_VALUE] = None  # empty asks for no code
    otp: Code | None = Field(None, description="the code received or shown by the app")
    challenge: ChallengeHandle = None

    @model_validator(mode="after")
    def _require_one_credential(self) -> Self:
        both = self.password is not None and self.otp is not None
        if both or (self.challenge is not None and self.otp is None):
            raise ValueError("send nothing, or otp, or password")
        return self


class FreshToken(BaseModel):
    """An access token of the same session, with a fresh `auth_time`; `expires_in`: seconds.

    A browser that is signed in by cookies gets the token as one.
    """

    model_config = ConfigDict(json_schema_extra=_token_is_optional)

    access_token: str
    expires_in: int
