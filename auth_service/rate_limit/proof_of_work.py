"""Proof of work: what a send costs its sender while a range of numbers is being abused.

The format is ALTCHA's, version 2: PBKDF2 over a counter that the client has to find. A challenge
takes a phone about two seconds on average, and twice as long for each level (`breaker.lua`).
"""

import hashlib

import altcha

from auth_service.client import Solution
from auth_service.keyring import Keyring
from auth_service.rate_limit.errors import ProofRequired
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy

ALGORITHM = "PBKDF2/SHA-256"
ITERATIONS = 1000
"""Of one try."""
MOST_TRIES = 6000
"""At the lowest level. Every number of tries up to it is equally likely, so none can be skipped."""
LIFE_SECONDS = 600
MAX_SOLUTION = 4096


class ProofOfWork:
    """Makes challenges and checks solutions; which ones were used is noted by the send itself."""

    def __init__(self, keyring: Keyring, clock: Clock, entropy: Entropy) -> None:
        """Sign challenges with the keyring's keys for work."""
        self._keyring = keyring
        self._clock = clock
        self._entropy = entropy

    def require(self, level: int, *, again: bool) -> ProofRequired:
        """Return the refusal with a fresh challenge of that level, 0 to 4.

        `again`: the request had a solution, which does not count.
        """
        challenge = altcha.create_challenge(
            ALGORITHM,
            ITERATIONS,
            counter=1 + self._entropy.below(MOST_TRIES << level),
            expires_at=int(self._clock.now().timestamp()) + LIFE_SECONDS,
            data={"level": level},
            hmac_secret=self._keyring.keys("work")[0],
            hmac_key_secret=self._keyring.keys("work_key")[0],
        )
        return ProofRequired(challenge.to_dict(), again=again)

    def check(self, payload: str | None) -> Solution | None:
        """Return the solution of one of our challenges; None when it is none, or has expired."""
        if not payload:
            return None
        signing, keys = self._keyring.keys("work"), self._keyring.keys("work_key")
        for secret, key_secret in zip(signing, keys, strict=True):
            if altcha.verify_solution(payload, secret, hmac_key_secret=key_secret).verified:
                return self._solution(altcha.Payload.from_base64(payload).challenge.parameters)
        return None

    def _solution(self, signed: altcha.ChallengeParameters) -> Solution | None:
        expires_at = (signed.expires_at or 0) * 1000
        if expires_at <= milliseconds(self._clock.now()):
            return None
        level = int((signed.data or {}).get("level", 0))
        return Solution(hashlib.sha256(signed.nonce.encode()).hexdigest(), level, expires_at)
