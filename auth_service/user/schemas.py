"""The user in answers, and common fields of bodies."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)


def _printable(text: str) -> str:
    if not text.isprintable():
        message = "control characters are not allowed"
        raise ValueError(message)
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_printable),
]
Username = Annotated[
    str,
    StringConstraints(min_length=3, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
"""ASCII alone, so that no two look alike; compared without regard to case."""


class UserAnswer(BaseModel):
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


class AddressBody(BaseModel):
    """Base of bodies that name one address: a mobile or an email."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mobile: str | None = Field(None, max_length=40, description="E.164, or national at home")
    email: str | None = Field(None, max_length=254, description="one mail address")

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.mobile is None) == (self.email is None):
            message = "send either mobile or email"
            raise ValueError(message)
        return self
