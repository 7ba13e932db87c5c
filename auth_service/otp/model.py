"""What a code is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from auth_service.destination import Channel, Destination
from shared.entropy import Entropy

CODE_DIGITS = 6
HANDLE_BYTES = 16
Purpose = Literal["signup", "verify", "login", "reset_password", "change_contact", "step_up"]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Handle = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One code on its way. `expires_in` and `resend_after` are seconds."""

    handle: str
    channel: Channel
    expires_in: int
    resend_after: int


@dataclass(frozen=True, slots=True)
class Errand:
    """What is sent for a challenge, and what its proof is worth.

    `template` is what the message says, None for no message at all. `real`: whether the code that
    it carries is right; without, the challenge is a decoy that no code proves. `context` comes
    back with the proof. `to`: where the message goes when the challenge is for a username.
    """

    context: Mapping[str, str]
    template: str | None = "code"
    real: bool = True
    to: Destination | None = None


NOTHING = Errand({}, template=None, real=False)
"""The errand at an address without an account, where nobody may be told that it has none."""


@dataclass(frozen=True, slots=True)
class Link:
    """A ticket that is mailed with the code, and the address of the page that takes it."""

    page: str
    ticket: str

    @property
    def address(self) -> str:
        """The ticket is in the fragment, which no server and no `Referer` is told."""
        return f"{self.page}#reset_ticket={self.ticket}"


@dataclass(frozen=True, slots=True)
class Proof:
    """A code that was right and is now spent; `receipt` gives it back when nothing came of it.

    `context` is what was to be remembered when the code was asked for, at `asked_at`.
    """

    receipt: str
    context: Mapping[str, str]
    asked_at: datetime | None


def draw_code(entropy: Entropy) -> str:
    """Return six ASCII digits, every value equally likely."""
    return f"{entropy.below(10**CODE_DIGITS):0{CODE_DIGITS}d}"
