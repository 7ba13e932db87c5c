"""What a password is."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

MIN_LENGTH, MAX_LENGTH = 8, 128
MAX_GIVEN = 1000


def normalized(text: str) -> str:
    """Return the text in the one form in which it is hashed: keyboards write `é` in two ways.

    Source: RFC 8265 §4.2.
    """
    return unicodedata.normalize("NFC", text)


def _normalize_before(value: object) -> object:
    return normalized(value) if isinstance(value, str) else value


NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    BeforeValidator(_normalize_before),  # what is hashed is what is measured
]
"""A password to be set; whether it is common or like the name, `Policy` says."""

GivenPassword = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_GIVEN), AfterValidator(normalized)
]
"""A password to be compared, of any length that a hash is worth."""
