"""The small service, served as the real ones are; and a subscriber of revocations."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from deploy.local.valkey import Valkey
from shared.clock import SystemClock
from shared.redis import BatchedRedis, open_redis
from shared.revocation import subscriber
from shared.revocation.cache import RevocationCache
from shared.revocation.subscriber import open_revocation_cache
from shared.server import listening
from shared.settings import ServiceSettings
from tests.conftest import REVOCATION_KEY
from tests.support.proxy import Proxy, open_proxy
from tests.support.raw_http import SmallService
from tests.support.revocation_source import KEY, RevocationSource
from tests.support.small_service import small_app

Follow = Callable[..., AbstractAsyncContextManager[RevocationCache]]
STALE = 0.6


@pytest.fixture
def small_settings() -> Callable[..., ServiceSettings]:
    def make(**changes: Any) -> ServiceSettings:
        values = {
            "env": "development",
            "redis_url": "redis://127.0.0.1:1",
            "revocation_key": REVOCATION_KEY,
        }
        return ServiceSettings(**(values | changes))

    return make


@pytest.fixture
def serving_small(
    small_settings: Callable[..., ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Serves the small service with changed settings inside an `async with`."""
    monkeypatch.setattr("shared.body_drain.DRAIN_SECONDS", 0.1)

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator[SmallService]:
        app = small_app(small_settings(**changes))
        async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
            yield SmallService(http, address)

    return serve


@pytest.fixture
async def small(serving_small: Callable[..., Any]) -> AsyncIterator[SmallService]:
    async with serving_small() as served:
        yield served


@pytest.fixture
async def source(redis: Redis) -> RevocationSource:
    made = RevocationSource(redis)
    await made.begin()
    return made


@pytest.fixture
async def proxy(valkey: Valkey) -> AsyncIterator[Proxy]:
    async with open_proxy(valkey.port) as made:
        yield made


@pytest.fixture
def url(proxy: Proxy, valkey: Valkey, redis: Redis) -> str:
    """Where an empty Valkey is, behind the proxy."""
    login = urlsplit(valkey.url()).netloc.rpartition("@")[0]
    return f"redis://{login}@127.0.0.1:{proxy.port}/0"


@pytest.fixture
async def batched(url: str, proxy: Proxy) -> AsyncIterator[BatchedRedis]:
    """Has two connections, one of them a spare; each has said its password."""
    async with open_redis(url) as opened:
        assert await opened.execute("PING")
        await proxy.wait_for_counts(connections=2, exchanges=3)
        yield opened


@pytest.fixture
def follow(url: str) -> Follow:
    """Follows through the proxy, as quickly as it does for real."""
    return lambda **options: open_revocation_cache(url, [KEY], SystemClock(), **options)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, follow: Follow) -> Follow:
    """Looks ten times as often, so that staleness is soon reached; as patient as for real."""
    assert subscriber.HEAD_CHECK_SECONDS == 1
    monkeypatch.setattr(subscriber, "HEAD_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(subscriber, "RECONNECT_DELAY_SECONDS", 0.02)
    return lambda **options: follow(**{"max_staleness": STALE, **options})
