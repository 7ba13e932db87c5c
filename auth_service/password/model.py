"""What a password is."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

SHORTEST, LONGEST = 8, 128
MOST_GIVEN = 1000


def composed(text: str) -> str:
    """Return the text in the one form in which it is hashed: keyboards write `é` in two ways.

    Source: RFC 8265 §4.2.
    """
    return unicodedata.normalize("NFC", text)


def _composed_before(value: object) -> object:
    return composed(value) if isinstance(value, str) else value


NewPassword = Annotated[
    str,
    StringConstraints(min_length=SHORTEST, max_length=LONGEST),
    BeforeValidator(_composed_before),  # what is hashed is what is measured
]
"""A password to be set; whether it is common or like the name, `Policy` says."""

GivenPassword = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST_GIVEN), AfterValidator(composed)
]
"""A password to be compared, of any length that a hash is worth."""
