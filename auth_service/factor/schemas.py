"""Bodies and answers of second factors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from auth_service.device.schemas import DeviceBody
from auth_service.factor.model import Method, Proof
from auth_service.factor.recovery_codes import RecoveryCode
from auth_service.otp.model import Code
from auth_service.session.schemas import MAX_TOKEN, TokenIssuing, TokenPair
from shared.text import clean_line
from shared.validation import cleaned

MAX_NAME = 60
FactorName = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME), cleaned(clean_line)
]
DEFAULT_NAME = "Authenticator app"
RECOVERY_CODES = frozenset({"recovery_codes"})


class FactorResponse(BaseModel):
    """A second factor."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Literal["totp"]
    name: str
    created_at: datetime
    last_used_at: datetime | None


class RememberedDeviceResponse(BaseModel):
    """A device that signs in without the second factor until it expires."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_agent: str | None
    created_at: datetime
    expires_at: datetime


class FactorsResponse(BaseModel):
    """The caller's second factors, what is left of recovery codes, and remembered devices."""

    items: list[FactorResponse]
    recovery_codes_left: int
    remembered_devices: list[RememberedDeviceResponse]


class RecoveryCodesResponse(BaseModel):
    """Recovery codes, shown this once; older ones are invalid."""

    recovery_codes: Sequence[str]


class ConfirmedFactorResponse(FactorResponse):
    """A second factor that counts from now on."""

    recovery_codes: Sequence[str] | None = Field(
        None, description="with the first factor alone, and shown this once"
    )


class EnrolledTokenPair(TokenPair):
    """The tokens of a user whose role demands a second factor, which counts from now on."""

    factor: FactorResponse
    recovery_codes: Sequence[str]


class ConfirmationResponse(RootModel[ConfirmedFactorResponse | EnrolledTokenPair]):
    """The factor; or with a ticket the tokens of the sign-in, and the factor beside them."""


class EnrolmentBody(DeviceBody):
    """Base of bodies that add a factor, in a session or with the ticket of a sign-in."""

    mfa_ticket: str | None = Field(
        None,
        max_length=MAX_TOKEN,
        description="what the 403 `mfa_enrolment_required` named, in place of a session",
    )


class TotpBody(EnrolmentBody):
    """What the authenticator is to be called."""

    name: FactorName | None = None
    otp: Code | None = Field(
        None, description="with `mfa_ticket`: the code that was sent, if there was a `channel`"
    )


class TotpResponse(BaseModel):
    """An authenticator that counts once a code of it has come back, within 10 minutes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    secret: str = Field(description="base 32, to be typed into an app")
    otpauth_uri: str = Field(validation_alias="uri", description="what the QR code says")
    qr_svg: str


class ConfirmBody(TokenIssuing, EnrolmentBody):
    """A code of the new authenticator."""

    otp: Code = Field(description="the code that the app shows, six digits")


class RenameBody(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: FactorName


class VerifyMfaBody(TokenIssuing, DeviceBody):
    """The ticket of a sign-in, and a proof of a second factor."""

    mfa_ticket: str = Field(max_length=MAX_TOKEN, description="what the 403 `mfa_required` named")
    method: Method
    otp: Code | None = Field(None, description="with `totp`: the code that the app shows")
    recovery_code: RecoveryCode | None = Field(None, description="with `recovery_code`: one of ten")
    remember_device: bool = Field(
        False, description="this device is not asked again for `MFA_REMEMBER_DAYS`, but by step-up"
    )

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        given = {"totp": self.otp, "recovery_code": self.recovery_code}
        if given.pop(self.method) is None or any(given.values()):
            raise ValueError("send otp with totp, or recovery_code with recovery_code")
        return self

    @property
    def proof(self) -> Proof:
        """The proof of the method."""
        return Proof(self.method, self.otp or self.recovery_code or "")
