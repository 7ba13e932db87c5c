"""Bodies and answers of second factors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from auth_service.device.schemas import DeviceBody
from auth_service.factor.model import Method, Proof
from auth_service.factor.recovery.codes import RecoveryCode
from auth_service.otp.model import Code
from auth_service.passkey.model import PasskeyResponse
from auth_service.session.schemas import MAX_TOKEN, SignInBody, TokenPair
from auth_service.user.model import FactorKind
from shared.text import clean_line
from shared.validation import cleaned

MAX_NAME = 60
FactorName = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME), cleaned(clean_line)
]
DEFAULT_TOTP_NAME = "Authenticator app"
DEFAULT_PASSKEY_NAME = "Passkey"
MAX_CHALLENGE = 64
PasskeyChallenge = Annotated[
    str, Field(max_length=MAX_CHALLENGE, description="`challenge` of the options")
]
Credential = Annotated[
    dict[str, Any],
    Field(
        description="the response of the browser or the app, as `credential.toJSON()` returns it"
    ),
]
RECOVERY_CODES = frozenset({"recovery_codes"})


class FactorResponse(BaseModel):
    """A second factor."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: FactorKind
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool | None = Field(
        None, description="of a passkey: whether the user's other devices can get it"
    )


class RememberedDeviceResponse(BaseModel):
    """A device that signs in without the second factor until it expires."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_agent: str | None
    created_at: datetime
    expires_at: datetime


class FactorsResponse(BaseModel):
    """The caller's second factors, the number of recovery codes left, and remembered devices."""

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
    """The factor; with a ticket, the tokens of the sign-in and the factor beside them."""


class EnrolmentBody(DeviceBody):
    """Base of bodies that add a factor, in a session or with the ticket of a sign-in."""

    mfa_ticket: str | None = Field(
        None,
        max_length=MAX_TOKEN,
        description="that of the 403 `mfa_enrolment_required`, in place of a session",
    )


class TotpBody(EnrolmentBody):
    """The name of a new authenticator."""

    name: FactorName | None = None
    otp: Code | None = Field(
        None, description="with `mfa_ticket`: the code that was sent, if there was a `channel`"
    )


class TotpResponse(BaseModel):
    """An authenticator, which counts once a code confirms it within 10 minutes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    secret: str = Field(description="base 32, for a user who types it into an app")
    otpauth_uri: str = Field(validation_alias="uri", description="the content of the QR code")
    qr_svg: str


class ConfirmBody(SignInBody, EnrolmentBody):
    """A code of the new authenticator."""

    otp: Code = Field(description="the code that the app shows, six digits")


class PasskeyOptionsBody(EnrolmentBody):
    """Empty in a session; the ticket, and the code that goes with it, in an enrolment."""

    otp: Code | None = Field(
        None, description="with `mfa_ticket`: the code that was sent, if there was a `channel`"
    )


class PasskeyOptionsResponse(BaseModel):
    """Options for a browser or an app, and their challenge, which counts for 5 minutes."""

    model_config = ConfigDict(from_attributes=True)

    challenge: str
    public_key: dict[str, Any] = Field(
        description="for `parseCreationOptionsFromJSON()` or `parseRequestOptionsFromJSON()` of "
        "`PublicKeyCredential`, or for an app's library"
    )


class PasskeyBody(SignInBody, EnrolmentBody):
    """A new passkey."""

    challenge: PasskeyChallenge
    credential: Credential
    name: FactorName | None = None

    @property
    def response(self) -> PasskeyResponse:
        """The response to the options."""
        return PasskeyResponse(self.challenge, self.credential)


class MfaPasskeyOptionsBody(DeviceBody):
    """The ticket of a sign-in."""

    mfa_ticket: str = Field(max_length=MAX_TOKEN, description="that of the 403 `mfa_required`")


class PasskeyLoginOptionsBody(BaseModel):
    """Empty: the passkey names its user."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PasskeyLoginBody(SignInBody):
    """The response of a passkey that is the only factor."""

    challenge: PasskeyChallenge
    credential: Credential

    @property
    def response(self) -> PasskeyResponse:
        """The response to the options."""
        return PasskeyResponse(self.challenge, self.credential)


class RenameBody(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: FactorName


class VerifyMfaBody(SignInBody):
    """The ticket of a sign-in, and a proof of a second factor."""

    mfa_ticket: str = Field(max_length=MAX_TOKEN, description="that of the 403 `mfa_required`")
    method: Method
    otp: Code | None = Field(None, description="with `totp`: the code that the app shows")
    recovery_code: RecoveryCode | None = Field(None, description="with `recovery_code`: one of ten")
    credential: Credential | None = Field(
        None, description="with `passkey`: the response to the options of /mfa/passkey-options"
    )
    challenge: PasskeyChallenge | None = Field(
        None, description="with `passkey`: that of the options"
    )
    remember_device: bool = Field(
        False,
        description="sign-ins on this device need no factor for `MFA_REMEMBER_DAYS`; step-up does",
    )

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        given = {
            "totp": self.otp,
            "recovery_code": self.recovery_code,
            "passkey": self.credential,
        }
        named = [method for method, one in given.items() if one is not None]
        if named != [self.method] or (self.challenge is None) == (self.method == "passkey"):
            raise ValueError(
                "send otp with totp, recovery_code with recovery_code, or credential and challenge "
                "with passkey"
            )
        return self

    @property
    def proof(self) -> Proof:
        """The proof of the method."""
        code, response = self.otp or self.recovery_code or "", None
        if self.credential is not None:
            response = PasskeyResponse(self.challenge or "", self.credential)
        return Proof(self.method, code, response)
