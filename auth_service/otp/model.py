"""What a code is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.entropy import Entropy

CODE_DIGITS = 6
HANDLE_BYTES = 16
Purpose = Literal["signup"]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Handle = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One code on its way. `expires_in` and `resend_after` are seconds."""

    handle: str
    channel: Literal["sms"]
    expires_in: int
    resend_after: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A code that was right and is now spent; `receipt` gives it back when nothing came of it.

    `context` is what was to be remembered when the code was asked for.
    """

    destination: str
    receipt: str
    context: Mapping[str, str]


def draw_code(entropy: Entropy) -> str:
    """Return six ASCII digits, every value equally likely."""
    return f"{entropy.below(10**CODE_DIGITS):0{CODE_DIGITS}d}"
