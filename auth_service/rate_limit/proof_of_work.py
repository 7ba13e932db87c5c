"""Proof of work: a computation that a client does before a code is sent to an abused range.

The format is ALTCHA's, version 2: PBKDF2 over a counter that the client has to find. A challenge
takes a phone about two seconds on average, and twice as long for each level (`breaker.lua`).
"""

import hashlib
from dataclasses import dataclass

import altcha

from auth_service.client import ProofOfWorkSolution
from auth_service.keyring import Keyring
from auth_service.rate_limit.errors import ProofRequired
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy

ALGORITHM = "PBKDF2/SHA-256"
ITERATIONS = 1000
"""Of one try."""
MAX_TRIES = 6000
"""At the lowest level. Every number of tries up to it is equally likely, so none can be skipped."""
LIFE_SECONDS = 600
MAX_SOLUTION = 4096


@dataclass(frozen=True, slots=True)
class ProofOfWork:
    """Makes challenges and checks solutions; `send.lua` stores which ones were used."""

    keyring: Keyring
    clock: Clock
    entropy: Entropy

    def refusal(self, level: int, *, was_presented: bool) -> ProofRequired:
        """Return the refusal with a fresh challenge of that level, 0 to 4.

        `was_presented`: the request had a solution, which was not accepted.
        """
        challenge = altcha.create_challenge(
            ALGORITHM,
            ITERATIONS,
            counter=1 + self.entropy.below(MAX_TRIES << level),
            expires_at=int(self.clock.now().timestamp()) + LIFE_SECONDS,
            data={"level": level},
            hmac_secret=self.keyring.keys("work")[0],
            hmac_key_secret=self.keyring.keys("work_key")[0],
        )
        return ProofRequired(challenge.to_dict(), was_presented=was_presented)

    def read_solution(self, payload: str | None) -> ProofOfWorkSolution | None:
        """Return the solution of one of our challenges; None for an invalid or expired one."""
        if not payload:
            return None
        signing, keys = self.keyring.keys("work"), self.keyring.keys("work_key")
        for secret, key_secret in zip(signing, keys, strict=True):
            if altcha.verify_solution(payload, secret, hmac_key_secret=key_secret).verified:
                return self._unexpired_solution(
                    altcha.Payload.from_base64(payload).challenge.parameters
                )
        return None

    def _unexpired_solution(self, signed: altcha.ChallengeParameters) -> ProofOfWorkSolution | None:
        expires_at = (signed.expires_at or 0) * 1000
        if expires_at <= milliseconds(self.clock.now()):
            return None
        level = int((signed.data or {}).get("level", 0))
        return ProofOfWorkSolution(
            hashlib.sha256(signed.nonce.encode()).hexdigest(), level, expires_at
        )
