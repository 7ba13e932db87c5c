"""Errors of requests for a code."""

from collections.abc import Mapping
from typing import ClassVar

from shared.errors import Forbidden, RateLimited

COOLDOWN = "OTP_COOLDOWN"


class ProofRequired(Forbidden):
    """The request needs a solution of the challenge, base64 by a library of ALTCHA version 2.

    A solution is valid once, within 10 minutes. `applies_to`: as in `LimitReached`.
    """

    code, title = "proof_required", "Send a proof of work with the request"
    applies_to: ClassVar = "new_contacts"
    advice = (
        "Solve the challenge in `altcha` with a library of ALTCHA, version 2. Repeat the request "
        "within 10 minutes, with its payload (base64 of challenge and solution) as `altcha`"
    )

    def __init__(self, challenge: Mapping[str, object], *, was_presented: bool = False) -> None:
        """Keep the challenge; `was_presented`: the request had a solution that was not accepted."""
        refused = (
            "The solution in `altcha` was used before, is too old or too easy by now, or cannot be "
            "read; solve the new challenge"
        )
        super().__init__(refused if was_presented else None)
        self.challenge = challenge

    def members(self) -> dict[str, object]:
        """Return the challenge."""
        return {"altcha": dict(self.challenge)}


class LimitReached(RateLimited):
    """A send limit is full; `applies_to` says which requests it refuses."""

    def __init__(self, limit: str, applies_to: str, wait_ms: int) -> None:
        """Keep the limit's setting, which requests it refuses, and for how long."""
        seconds = max(1, -(-wait_ms // 1000))
        advice = f"Too many codes were asked for; use the newest, or try again in {seconds} s"
        if limit == COOLDOWN:
            advice = f"a code was just sent; another in {seconds} s"
        super().__init__(limit, seconds, advice)
        self.applies_to = applies_to
