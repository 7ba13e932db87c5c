"""Bodies and answers of a user's own account."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from auth_service.account.model import ExportedSession, ExportedToken
from auth_service.audit.schemas import EventResponse
from auth_service.device.schemas import SendBody
from auth_service.factor.schemas import FactorResponse, RememberedDeviceResponse
from auth_service.language import parse_device_locale
from auth_service.otp.schemas import CodeBody
from auth_service.settings.messages import Locale
from auth_service.user.schemas import AddressBody, Name, PhoneBody, Username, UserResponse
from shared.validation import NULL_CLEARS, cleaned

ADDRESSES = frozenset({"mobile", "email"})
PROFILE = frozenset({"name", "first_name", "last_name", "username", "locale"})


class MeResponse(UserResponse):
    """The signed-in user."""

    csrf: str | None = Field(None, description="for `X-CSRF-Token`; absent without cookies")


class ProfileBody(PhoneBody, SendBody):
    """Names and language to store, or one new address to verify.

    Null or an empty text removes a first name, a last name or the locale.
    """

    name: Name | None = Field(None, description="how the user is to be called")
    first_name: Annotated[Name | None, NULL_CLEARS] = None
    last_name: Annotated[Name | None, NULL_CLEARS] = None
    username: Username | None = None
    locale: Annotated[Locale | None, cleaned(parse_device_locale), NULL_CLEARS] = Field(
        None, description="language of messages, as `de` or `pt-BR`"
    )
    email: str | None = Field(None, max_length=254, description="one mail address")

    @model_validator(mode="after")
    def _require_one_change(self) -> Self:
        given = self.model_fields_set & (ADDRESSES | PROFILE)
        if given & ADDRESSES and (len(given) > 1 or not (self.mobile or self.email)):
            raise ValueError("send names, or mobile, or email")
        if not given:
            raise ValueError("send what is to change")
        return self


class VerifyContactBody(AddressBody, CodeBody):
    """The code that was sent to the new address."""


class ExportHead(BaseModel):
    """The beginning of an export."""

    exported_at: datetime
    user: UserResponse
    has_password: bool


class Export(ExportHead):
    """Everything that is stored about a user."""

    sessions: list[ExportedSession]
    tokens: list[ExportedToken]
    factors: list[FactorResponse]
    remembered_devices: list[RememberedDeviceResponse]
    events: list[EventResponse]
