"""Challenges and their codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import StringConstraints

from auth_service.destination import Channel, Destination
from shared.entropy import Entropy
from shared.text import strip_code
from shared.validation import cleaned

CODE_DIGITS = 6
HANDLE_BYTES = 16
Purpose = Literal[
    "signup", "verify", "login", "reset_password", "change_contact", "step_up", "mfa_enrolment"
]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), cleaned(strip_code)]
Handle = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A one-time code that was sent. `expires_in` and `resend_after` are seconds."""

    handle: str
    channel: Channel
    expires_in: int
    resend_after: int


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A link that is mailed with the code, to a page that accepts the `ticket` or the code."""

    page: str
    ticket: str | None = None

    def url(self, address: str, code: str) -> str:
        """Return the page with the secret in its fragment, which no server and `Referer` receives.

        A page of an app with routes in the fragment (`/#/reset`) gets it there, as a query.
        """
        secret = {"reset_ticket": self.ticket} if self.ticket else {"email": address, "otp": code}
        fragment = urlsplit(self.page).fragment
        separator = "#" if not fragment else "&" if "?" in fragment else "?"
        return f"{self.page.rstrip('#')}{separator}{urlencode(secret)}"


@dataclass(frozen=True, slots=True)
class ChallengeMessage:
    """The message that carries a challenge's code, and the data that its proof returns.

    `context`: returned when the code is verified. `template`: None sends nothing.
    `has_valid_code`: False makes the challenge a decoy that no code proves. `to`: the recipient
    when the challenge is for a username. `link`: mailed with the code. `has_verified_owner`: the
    destination is a user's verified address, so limits that other people's traffic fills do not
    refuse the message. `handle`: the challenge's handle, if something that the client holds implies
    it; else it is drawn at random.
    """

    context: Mapping[str, str]
    template: str | None = "code"
    has_valid_code: bool = True
    to: Destination | None = None
    link: MailedLink | None = None
    has_verified_owner: bool = False
    handle: str | None = None


DECOY = ChallengeMessage({}, template=None, has_valid_code=False)
"""The message for an address without an account, when the answer must not reveal that."""


@dataclass(frozen=True, slots=True)
class VerifiedChallenge:
    """A challenge whose code was right and is now consumed; `receipt` restores it.

    `context`: the data that was stored when the code was requested, at `requested_at`.
    `is_test`: the code is one of `TEST_CODES`.
    """

    receipt: str
    context: Mapping[str, str]
    requested_at: datetime | None
    is_test: bool = False


def generate_code(entropy: Entropy) -> str:
    """Return six ASCII digits, every value equally likely."""
    return f"{entropy.below(10**CODE_DIGITS):0{CODE_DIGITS}d}"
