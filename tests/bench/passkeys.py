"""The verification of a passkey's response, inside one process."""

import secrets
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from webauthn import verify_authentication_response

from tests.bench.bench import Bench
from tests.bench.table import Figure
from tests.support.passkeys import PAGE, SHOP, an_authenticator, registered, verify

CALLS = 300
ROUNDS = 7
MAX_RATIO = 1.6


async def passkey_check(_bench: Bench) -> list[Figure]:
    """In process: a passkey's response verified, against the library's own call."""
    authenticator = an_authenticator()
    passkey, challenge = registered(authenticator), secrets.token_bytes(32)
    credential = authenticator.get(SHOP.authentication_options(challenge))
    expected: dict[str, Any] = {
        "expected_challenge": challenge,
        "expected_rp_id": SHOP.id,
        "expected_origin": PAGE,
        "credential_public_key": passkey.public_key,
        "credential_current_sign_count": 0,
        "require_user_verification": True,
    }
    rounds = [
        (
            _microseconds(lambda: verify(credential, challenge, passkey)),
            _microseconds(
                lambda: verify_authentication_response(credential=credential, **expected)
            ),
        )
        for _ in range(ROUNDS)
    ]
    ours, bare = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(one / other for one, other in rounds)
    return [
        Figure(
            "passkey check",
            f"{ours:.0f} µs",
            floor=f"{bare:.0f} µs",
            ratio=f"{ratio:.2f} x",
            target=f"≤ {MAX_RATIO} x",
            met=ratio <= MAX_RATIO,
            raw={"rounds": rounds, "ratio": ratio},
        )
    ]


def _microseconds(call: Callable[[], object]) -> float:
    """CPU µs of one call."""
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) * 1e6 / CALLS
