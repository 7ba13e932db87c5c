"""Challenges of passkeys: random bytes that an authenticator signs once."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jwt.utils import base64url_decode, base64url_encode

from shared.clock import Clock, milliseconds
from shared.entropy import Entropy
from shared.redis import BatchedRedis

LIFE_MS = 300_000
CHALLENGE_BYTES = 32
_TEXT = re.compile(r"[A-Za-z0-9_-]{43}")
Purpose = Literal["registration", "sign_in", "second_factor", "step_up"]


class Ceremony(NamedTuple):
    """The purpose of a challenge, and the session's id or the ticket's hash that it is bound to.

    `bound_to`: empty before a user is known.
    """

    purpose: Purpose
    bound_to: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyChallenges:
    """Issues and consumes challenges in Redis. Without Redis: `ServiceUnavailable`."""

    redis: BatchedRedis
    clock: Clock
    entropy: Entropy

    async def issue(self, purpose: Purpose, bound_to: str = "") -> bytes:
        """Return a new challenge, valid for 5 minutes.

        `bound_to`: the session's id or the ticket's hash; empty before a user is known.
        """
        challenge = self.entropy.bytes(CHALLENGE_BYTES)
        key = _key(purpose, bound_to, base64url_encode(challenge).decode())
        expires_at = milliseconds(self.clock.now()) + LIFE_MS
        await self.redis.execute("SET", key, expires_at, "PX", LIFE_MS)
        return challenge

    async def consume(self, challenge: str, purpose: Purpose, bound_to: str = "") -> bytes | None:
        """Consume a challenge, given in base64url; of concurrent calls one gets its bytes.

        None: it is unknown, used, expired, or issued for another purpose, session or ticket.
        """
        if not _TEXT.fullmatch(challenge):
            return None
        expires_at = await self.redis.execute("GETDEL", _key(purpose, bound_to, challenge))
        if expires_at is None or int(expires_at) <= milliseconds(self.clock.now()):
            return None
        return base64url_decode(challenge)


def _key(purpose: Purpose, bound_to: str, challenge: str) -> str:
    """Return the key that holds when the challenge expires; a wrong purpose finds no key."""
    return f"passkey_challenge:{purpose}:{bound_to}:{challenge}"
