"""Recovery codes: ten for a user without another factor at hand. Each one counts once."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from shared.entropy import Entropy
from shared.opaque_tokens import hash_token
from shared.text import strip_code
from shared.validation import cleaned

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, without letters that look like digits."""
LOOKALIKES = str.maketrans("ilo", "110")
COUNT, LENGTH, GROUP = 10, 20, 5
"""20 characters are 100 bits, so that a code needs no limit of its own."""


def normalize(text: str) -> str:
    """Return a typed code in its stored form: case, dashes and blanks do not count."""
    return strip_code(text).lower().translate(LOOKALIKES)


RecoveryCode = Annotated[
    str, StringConstraints(pattern=f"^[{ALPHABET}]{{{LENGTH}}}$"), cleaned(normalize)
]


def generate_codes(entropy: Entropy) -> Sequence[str]:
    """Return new codes as users write them down."""
    return [_generate_code(entropy) for _ in range(COUNT)]


def _generate_code(entropy: Entropy) -> str:
    code = "".join(ALPHABET[entropy.below(len(ALPHABET))] for _ in range(LENGTH))
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def hash_code(code: str) -> bytes:
    """Return the SHA-256 under which a code is stored."""
    return hash_token(normalize(code))
