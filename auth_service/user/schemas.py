"""The user in answers, and common fields of bodies."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.text import clean_line, strip_typed
from shared.validation import cleaned

MAX_PERSONAL_NAME = 100
MAX_GIVEN_USERNAME = 100

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_PERSONAL_NAME), cleaned(clean_line)
]
"""A person's name, as the client wrote it."""

Username = Annotated[
    str,
    StringConstraints(min_length=3, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
    cleaned(strip_typed),
]
"""ASCII alone, so that no two look alike; compared without regard to case."""

GivenUsername = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_GIVEN_USERNAME), cleaned(strip_typed)
]
"""A username to look up."""


class UserResponse(BaseModel):
    """A user; null stands for a missing value."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str | None
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_verified: bool
    roles: tuple[str, ...]
    status: Literal["pending", "active", "disabled"]
    last_login_at: datetime | None
    created_at: datetime
    version: int
    locale: str | None


class PhoneBody(BaseModel):
    """Base of bodies with a phone number, by either of its two names; `mobile` has it then."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mobile: str | None = Field(None, max_length=40, description="E.164, or national at home")
    phone_number: str | None = Field(None, max_length=40, description="the same as `mobile`")

    @model_validator(mode="after")
    def _require_one_number(self) -> Self:
        if self.phone_number is not None:
            if self.mobile is not None:
                raise ValueError("send either mobile or phone_number, which mean the same")
            self.mobile = self.phone_number
        return self

    @property
    def number_field(self) -> str:
        """The name by which the number was sent."""
        return "mobile" if self.phone_number is None else "phone_number"


class AddressBody(PhoneBody):
    """Base of bodies that name one address: a mobile or an email."""

    email: str | None = Field(None, max_length=254, description="one mail address")

    @model_validator(mode="after")
    def _require_one_address(self) -> Self:
        if (self.mobile is None) == (self.email is None):
            raise ValueError("send either mobile or email")
        return self
