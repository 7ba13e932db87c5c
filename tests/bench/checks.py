"""The token check and the revocation check, inside one process."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from uuid import uuid4

from jwt.utils import base64url_decode

from shared.clock import SystemClock
from shared.jwks import PublicKey
from shared.revocation.authenticator import TokenAuthenticator
from shared.revocation.cache import RevocationCache
from shared.tokens import TokenVerifier
from tests.bench.bench import Bench
from tests.bench.child import CHECKOUT
from tests.bench.stack import AUDIENCE, ISSUER
from tests.bench.table import Figure, at_most
from tests.support.tokens import Mint

TOKENS = 400
KNOWN_TIMES = 10
ROUNDS = 7
LIVE = 100_000


def microseconds(check: Callable[[str], object], given: Sequence[str]) -> float:
    """CPU µs of one call."""
    began = time.process_time()
    for item in given:
        check(item)
    return (time.process_time() - began) * 1e6 / len(given)


def as_received(tokens: Sequence[str]) -> list[str]:
    """Copies, as each request brings its own: with no hash yet, equal but not identical."""
    return [token.encode().decode() for token in tokens]


class Checks:
    """One key, some tokens, and what is done with them."""

    def __init__(self, mint: Mint) -> None:
        self._clock = SystemClock()
        public = mint.key.public_key()
        self._keys = {mint.kid: PublicKey(mint.kid, "EdDSA", public)}
        self.tokens = [mint.token(uuid4()) for _ in range(TOKENS)]
        self._signed = {token: mint_parts(token) for token in self.tokens}
        self._public = public
        self._cache = RevocationCache(self._clock)

    def verifier(self) -> TokenVerifier:
        verifier = TokenVerifier(ISSUER, AUDIENCE, self._clock)
        verifier.set_keys(self._keys)
        return verifier

    def bare(self, token: str) -> None:
        """The signature alone."""
        signature, text = self._signed[token]
        self._public.verify(signature, text)

    def round(self) -> tuple[float, float, float, float]:
        """µs of: a bare verification, first sight, known to the verifier, known and not revoked."""
        verifier = self.verifier()
        authenticator = TokenAuthenticator(verifier, self._cache)
        bare = microseconds(self.bare, self.tokens)
        first = microseconds(verifier.verify, as_received(self.tokens))
        many = self.tokens * KNOWN_TIMES
        known = microseconds(verifier.verify, as_received(many))
        self._cache.mark_fresh(self._clock.monotonic())
        admitted = microseconds(authenticator.authenticate, as_received(many))
        return bare, first, known, admitted


def mint_parts(token: str) -> tuple[bytes, bytes]:
    """Signature and signed text of a token."""
    text, _, signature = token.rpartition(".")
    return base64url_decode(signature), text.encode()


async def token_check(bench: Bench) -> list[Figure]:
    """In process: a known token, and one never seen against the bare verification."""
    checks = Checks(bench.stack.mint())
    rounds = [checks.round() for _ in range(ROUNDS)]
    bare, first, known, admitted = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(one[1] / one[0] for one in rounds)
    return [
        at_most(
            "token check, known", admitted, 2, "µs", remark=f" ({known:.2g} without revocations)"
        ),
        Figure(
            "token check, first sight",
            f"{first:.0f} µs",
            floor=f"{bare:.0f} µs",
            ratio=f"{ratio:.2f} x",
            target="< 1.6 x",
            met=ratio < 1.6,
            raw={"rounds": rounds, "ratio": ratio},
        ),
    ]


async def revocation_check(bench: Bench) -> list[Figure]:
    """The cache alone, in a fresh process, with 100,000 live entries."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.full_cache", str(LIVE)],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    found = json.loads(done.stdout)
    return [
        at_most(f"revocation check, {LIVE:,} live", found["check_us"], 1, "µs"),
        at_most(f"memory of {LIVE:,} entries", found["mb"], 40, "MB"),
    ]
