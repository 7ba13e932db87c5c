"""The subscriber when Redis is lost, frozen, killed, or not there yet."""

import asyncio
import signal
import time
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from redis.asyncio import Redis

from deploy.local.valkey import Valkey
from shared.clock import SystemClock
from shared.errors import ServiceUnavailable
from shared.revocation.subscriber import open_revocation_cache
from tests.shared.conftest import Follow
from tests.support.ports import own_port
from tests.support.proxy import Proxy
from tests.support.revocation_source import (
    KEY,
    RevocationSource,
    claims,
    is_refused,
    wait_until_fresh,
    wait_until_refused,
)
from tests.support.waiting import until


@pytest.mark.parametrize("fault", ["refuse", "freeze"])
async def test_lost_redis_makes_the_cache_stale_until_it_returns(
    source: RevocationSource, quick: Follow, proxy: Proxy, fault: str
) -> None:
    async with quick() as cache:
        await wait_until_fresh(cache)
        known_before = await source.revoke()
        await wait_until_refused(cache, known_before)
        if fault == "refuse":
            await proxy.refuse()
        else:
            proxy.freeze()
        started = time.monotonic()
        missed = await source.revoke()
        await wait_until_fresh(cache, wanted=False)
        assert time.monotonic() - cache.staleness <= started
        with pytest.raises(ServiceUnavailable):
            cache.check(claims(uuid4()))
        assert is_refused(cache, known_before)
        if fault == "refuse":
            await proxy.listen()
        else:
            proxy.thaw()
        await wait_until_fresh(cache)
        assert is_refused(cache, missed)  # fresh again means: nothing missed


async def test_fail_open_accepts_tokens_without_redis(
    source: RevocationSource, quick: Follow, proxy: Proxy
) -> None:
    async with quick(fail_open=True) as cache:
        await wait_until_fresh(cache)
        await proxy.refuse()
        await wait_until_fresh(cache, wanted=False)
        cache.check(claims(uuid4()))


async def test_cache_opens_before_redis_is_there(
    source: RevocationSource, quick: Follow, proxy: Proxy
) -> None:
    await proxy.refuse()
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:

            async def has_tried() -> bool:
                return len(logs) >= 1

            await until(has_tried)
            assert not cache.is_fresh
            await proxy.listen()
            await wait_until_fresh(cache)
    assert {event["event"] for event in logs} == {"task.interrupted"}


async def test_idle_connections_are_kept(
    source: RevocationSource, follow: Follow, proxy: Proxy
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with follow() as cache:
            await wait_until_fresh(cache)
            await asyncio.sleep(2.5)  # longer than every time-out of the connection
            assert cache.staleness < 2
            assert proxy.connections == 2  # one to listen, one to look
    assert logs == []


async def test_restarted_redis_is_subscribed_again(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "own", durable=False, port=own_port()).start()
    try:
        client = Redis.from_url(server.url())
        await RevocationSource(client).begin()
        url = server.url()
        async with open_revocation_cache(url, [KEY], SystemClock(), max_staleness=1.5) as cache:
            await wait_until_fresh(cache)
            assert server.child_pid is not None
            server._process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
            await wait_until_fresh(cache, wanted=False)
            await client.aclose()
            server.stop()
            server.start()
            client = Redis.from_url(server.url())
            source = RevocationSource(client)
            session = await source.revoke_unpublished()
            await source.begin("after")
            await wait_until_fresh(cache)
            assert is_refused(cache, session)
        await client.aclose()
    finally:
        server.stop()
