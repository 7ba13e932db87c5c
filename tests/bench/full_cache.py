"""A cache with many entries: what they take and what a check costs. `… full_cache COUNT`."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID, uuid4

from shared.clock import SystemClock
from shared.revocation.cache import RevocationCache
from shared.revocation.message import Revocation
from shared.tokens import Claims
from tests.bench.cpu import resident_mib

CALLERS = 2_000
ROUNDS = 9
MIB_IN_MB = 1.048576


def caller() -> Claims:
    """Somebody who is not revoked."""
    now = int(time.time())
    return Claims(
        sub=uuid4(), sid=uuid4(), jti=uuid4().hex, gen=0, iat=now, nbf=now, exp=now + 600,
        auth_time=now, amr=("otp",), roles=(),
    )  # fmt: skip


def revoked() -> Revocation:
    """As a message brings it: with an id and a time of its own."""
    identity = str(UUID(int=uuid4().int))
    return Revocation("session", identity, "logout", datetime.now(UTC) + timedelta(minutes=10))


def main() -> None:
    count = int(sys.argv[1])
    clock = SystemClock()
    cache = RevocationCache(clock)
    cache.add([revoked()])
    before = resident_mib(os.getpid())
    for _ in range(count):
        cache.add([revoked()])
    held = resident_mib(os.getpid()) - before
    cache.mark_fresh(clock.monotonic())
    callers = [caller() for _ in range(CALLERS)]
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for claims in callers:
            cache.check(claims)
        rounds.append((time.process_time() - began) * 1e6 / CALLERS)
    print(json.dumps({"mb": held * MIB_IN_MB, "check_us": median(rounds)}))


if __name__ == "__main__":
    main()
