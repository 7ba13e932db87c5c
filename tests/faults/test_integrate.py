"""Another service: the documented lines as they stand, in an interpreter of their own."""

import asyncio
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from shared.errors import ServiceUnavailable
from shared.revocation.authenticator import open_authenticator
from shared.revocation.cache import RevocationCache
from shared.revocation.message import Revocation
from shared.revocation.metrics import register_cache_metrics
from tests.conftest import AUDIENCE, ISSUER, REVOCATION_KEY
from tests.faults.stack import BreakableStack
from tests.support.clock import MovableClock
from tests.support.tokens import open_epoch, revoke_session

ROOT = Path(__file__).parents[2]
WITHOUT_AIOHTTP = """
import sys
import shared.revocation.authenticator, shared.revocation.subscriber, shared.revocation.metrics
import shared.revocation.cache, shared.tokens
assert "aiohttp" not in sys.modules, sorted(sys.modules)
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def documented() -> str:
    text = (ROOT / "docs" / "integrate.md").read_text()
    [code] = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    return str(code)


async def test_documented_example_accepts_and_refuses(stack: BreakableStack) -> None:
    await open_epoch(stack.redis)
    session, user = uuid4(), uuid4()
    media = stack.values["media"]
    environment = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWKS_FILE": str(media["jwks_file"]),
        "REDIS_URL": media["redis_url"],  # with media_service's rights, which are enough
        "REVOCATION_KEY": REVOCATION_KEY,
    }
    token = stack.mint.token(user, sid=str(session))
    admitted = await asyncio.to_thread(run, documented(), token, **environment)
    assert (admitted.returncode, admitted.stdout.splitlines()[-1:]) == (0, [str(user)])
    await revoke_session(stack.redis, str(session), REVOCATION_KEY)
    refused = await asyncio.to_thread(run, documented(), token, **environment)
    assert refused.returncode == 1
    assert "TokenRevoked" in refused.stderr.splitlines()[-1]


def test_documented_example_is_short() -> None:
    lines = [line for line in documented().splitlines() if line.strip()]
    assert len(lines) <= 10


def test_revocation_package_needs_no_aiohttp() -> None:
    done = run(WITHOUT_AIOHTTP)
    assert done.returncode == 0, done.stderr


async def test_key_file_created_later_is_read_and_a_broken_one_ignored(
    stack: BreakableStack,
) -> None:
    await open_epoch(stack.redis)
    media = stack.values["media"]
    good, path = media["jwks_file"].read_text(), media["jwks_file"]
    path.unlink()
    user = uuid4()
    token = stack.mint.token(user)
    async with open_authenticator(
        issuer=ISSUER,
        audience=AUDIENCE,
        jwks_file=path,
        redis_url=media["redis_url"],
        revocation_keys=[REVOCATION_KEY.encode()],
    ) as authenticator:
        assert not authenticator.ready
        with pytest.raises(ServiceUnavailable):
            authenticator.authenticate(token)
        path.write_text(good)
        async with asyncio.timeout(5):
            await authenticator.wait_until_ready()
        assert authenticator.authenticate(token).sub == user
        path.write_text("{")  # a broken file leaves the last good set in force
        await asyncio.sleep(1.2)
        assert authenticator.authenticate(token).sub == user


def test_gauges_show_how_fresh_the_cache_is() -> None:
    clock, registry = MovableClock(), CollectorRegistry()
    cache = RevocationCache(clock)
    register_cache_metrics(registry, cache)

    def read(name: str) -> Any:
        return registry.get_sample_value(f"revocation_{name}")

    assert (read("in_touch"), read("staleness_seconds")) == (0, math.inf)
    cache.mark_fresh(clock.monotonic())
    cache.add([Revocation("session", str(uuid4()), "logout", clock.now())])
    cache.lag = 0.25
    assert [read(name) for name in ("in_touch", "entries", "lag_seconds")] == [1, 1, 0.25]
    clock.advance(seconds=4)
    assert [read(name) for name in ("in_touch", "entries")] == [0, 1]
    assert 4 <= read("staleness_seconds") < 5


def test_fail_open_cache_is_ready_after_one_complete_read() -> None:
    clock = MovableClock()
    for fail_open in (False, True):
        cache = RevocationCache(clock, fail_open=fail_open)
        seen = [cache.ready]
        cache.mark_fresh(clock.monotonic())
        seen.append(cache.ready)
        clock.advance(minutes=1)
        seen.append(cache.ready)
        assert seen == [False, True, fail_open]
