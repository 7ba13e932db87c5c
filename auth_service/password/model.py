"""Passwords in requests, and the identifier of the account that they belong to."""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from auth_service.destination import Destination
from auth_service.user.model import IdentifierKind
from shared.validation import cleaned

MIN_LENGTH, MAX_LENGTH = 8, 128
MAX_GIVEN = 1000


def normalize_password(text: str) -> str:
    """Return the text in the form that is hashed, since keyboards write `é` in two ways.

    Source: RFC 8265 §4.2.
    """
    return unicodedata.normalize("NFC", text)


def _normalize_unless_too_long(text: str) -> str:
    """Normalize at most as much as `GivenPassword` does: endless marks would take seconds."""
    return text if len(text) > MAX_GIVEN else normalize_password(text)


NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    cleaned(_normalize_unless_too_long),  # the length limits apply to the hashed form
]
"""A password to set; the policy refuses common ones and those like the name."""

GivenPassword = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_GIVEN), AfterValidator(normalize_password)
]
"""A password to verify."""


@dataclass(frozen=True, slots=True)
class AccountIdentifier:
    """An account's phone number, mail address or username, in its stored form."""

    kind: IdentifierKind
    value: str

    @property
    def destination(self) -> Destination:
        """The destination of the challenge; `@username` for a username, as no address begins."""
        if self.kind == "username":
            return Destination("email", f"@{self.value.lower()}")
        return Destination(self.kind, self.value)
