"""The body and the answer of `POST /step-up`."""

from collections.abc import Collection
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from auth_service.device.schemas import DeviceBody
from auth_service.factor.model import Proof
from auth_service.factor.recovery.codes import RecoveryCode
from auth_service.factor.schemas import Credential
from auth_service.otp.model import Code
from auth_service.passkey.model import PasskeyResponse
from auth_service.password.model import GivenPassword
from auth_service.user.model import FactorKind
from shared.validation import EMPTY_IS_VALUE

StepUpChallenge = Annotated[
    str,
    StringConstraints(pattern="^([0-9a-f]{32}|[A-Za-z0-9_-]{43})$"),
    Field(
        description="with `otp`: that of the 202, so that only its code counts; with `credential`: "
        "that of the 403"
    ),
]


def _token_is_optional(schema: dict[str, Any]) -> None:
    schema["required"] = ["expires_in"]


class StepUpBody(DeviceBody):
    """An empty body requests a code; `otp` or `password` proves the user's identity.

    A user with a second factor sends the code of the app as `otp`, a passkey's `credential`, or a
    `recovery_code`; nothing else is enough.
    """

    password: Annotated[GivenPassword | None, EMPTY_IS_VALUE] = None  # empty asks for no code
    otp: Code | None = Field(None, description="the code received or shown by the app")
    recovery_code: Annotated[RecoveryCode | None, EMPTY_IS_VALUE] = Field(
        None, description="in place of a second factor"
    )
    credential: Credential | None = None
    challenge: StepUpChallenge | None = None

    @model_validator(mode="after")
    def _require_one_credential(self) -> Self:
        ways = (self.password, self.otp, self.recovery_code, self.credential)
        takes_challenge = self.otp is not None or self.credential is not None
        lacks_challenge = self.credential is not None and self.challenge is None
        is_stray = self.challenge is not None and not takes_challenge
        if sum(way is not None for way in ways) > 1 or is_stray or lacks_challenge:
            raise ValueError(
                "send nothing, or otp, or password, or recovery_code, or credential and challenge"
            )
        return self

    def proof_of(self, kinds: Collection[FactorKind]) -> Proof | None:
        """Return the proof of a second factor, for a user with these kinds; None without one."""
        if self.recovery_code is not None:
            return Proof("recovery_code", self.recovery_code)
        if self.credential is not None:
            response = PasskeyResponse(self.challenge or "", self.credential)
            return Proof("passkey", response=response)
        return Proof("totp", self.otp) if self.otp is not None and kinds else None


class FreshToken(BaseModel):
    """An access token of the same session, with a fresh `auth_time`; `expires_in`: seconds.

    A browser that is signed in by cookies gets the token as one.
    """

    model_config = ConfigDict(json_schema_extra=_token_is_optional)

    access_token: str
    expires_in: int
