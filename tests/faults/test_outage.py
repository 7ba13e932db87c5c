"""Outages seen from their end: everything that was revoked meanwhile is dead within a second."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from auth_service.revocation import repository
from auth_service.revocation import service as publisher
from media_service.resources import AUTHENTICATOR
from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation import subscriber
from shared.revocation.catch_up import NO_PUBLISHER_SECONDS
from tests.faults.stack import BreakableStack, Media, Token, log_out
from tests.faults.test_redis import cut, join
from tests.support.fault_injection import block_calls
from tests.support.waiting import until

SESSIONS = 1000
AT_ONCE = 100


def honoured(media: Media, token: Token) -> bool:
    try:
        media.app[AUTHENTICATOR].authenticate(token.text)
    except (TokenRevoked, ServiceUnavailable):
        return False
    return True


async def expect_nobody(media: Media, tokens: Iterable[Token], *, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        assert not any(honoured(media, token) for token in tokens)
        await asyncio.sleep(0.01)


async def expect_only(media: Media, alive: Token, dead: Sequence[Token]) -> None:
    """Nobody else is let in, before it is or when it is."""
    async with asyncio.timeout(10):
        while not honoured(media, alive):
            assert not any(honoured(media, token) for token in dead)
            await asyncio.sleep(0.01)
    assert not any(honoured(media, token) for token in dead)


async def test_outage_with_a_thousand_logouts_lets_no_revoked_token_in(
    stack: BreakableStack,
) -> None:
    async with stack.both() as (auth, media):
        tokens = await stack.tokens(SESSIONS)
        await media.until(tokens[-1], 200)
        assert all(honoured(media, token) for token in tokens)
        [alive] = await stack.tokens(1)
        await cut(stack)
        began_at = time.monotonic()
        turn = asyncio.Semaphore(AT_ONCE)

        async def end(token: Token) -> str:
            """On a busy machine the database may be out of reach: then nothing was done."""
            async with turn:
                while (code := (await log_out(auth, token)).code) == "service_unavailable":
                    await asyncio.sleep(0.1)
                return code

        codes = await asyncio.gather(*(end(token) for token in tokens))
        assert set(codes) == {"revocation_pending"}
        print(f"{SESSIONS} sessions in {time.monotonic() - began_at:.1f} s")
        await media.until(alive, 503)
        await join(stack)
        await asyncio.sleep(1)
        assert [token for token in tokens if honoured(media, token)] == []
        await media.until(alive, 200)
        assert [token for token in tokens if honoured(media, token)] == []
        for token in tokens[:: SESSIONS // 10]:
            assert (await media.ask(token)).code == "token_revoked"


@pytest.mark.parametrize("probed", [True, False])
async def test_outage_with_slow_publisher_ends_after_its_round(
    stack: BreakableStack, monkeypatch: pytest.MonkeyPatch, probed: bool
) -> None:
    """The head that Redis has when it returns tells nothing of the outage.

    Nor does a publisher know of it that was kept from probing, as on a busy machine.
    """
    if not probed:
        monkeypatch.setattr(publisher, "OUTAGE_AFTER_PINGS", 1000)
    read = repository.pending_up_to

    async def slowly(*arguments: Any) -> Any:
        await asyncio.sleep(1)
        return await read(*arguments)

    async with stack.both(revocation_max_staleness=1.2) as (auth, media):
        alive, *dead = await stack.tokens(6)
        monkeypatch.setattr(repository, "pending_up_to", slowly)
        await cut(stack)
        for token in dead:
            assert (await log_out(auth, token)).code == "revocation_pending"
        await media.until(alive, 503)
        await join(stack)
        await expect_only(media, alive, dead)
        assert (await media.ask(dead[0])).code == "token_revoked"


async def test_outage_with_round_from_before_waits_for_the_next_round(
    stack: BreakableStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than a publisher that says nothing counts as alive."""
    async with stack.both(revocation_max_staleness=1.2) as (auth, media):
        alive, *dead = await stack.tokens(6)
        held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
        await held.wait()
        await cut(stack)
        for token in dead:
            assert (await log_out(auth, token)).code == "revocation_pending"
        await media.until(alive, 503)
        await join(stack)
        await expect_nobody(media, (alive, *dead), seconds=NO_PUBLISHER_SECONDS + 1)
        go_on.set()
        await expect_only(media, alive, dead)


async def test_outage_with_new_publisher_ends_after_it_published_the_backlog(
    stack: BreakableStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power cut: all come back at once, and the database is slow at first."""
    async with AsyncExitStack() as first:
        auth = await first.enter_async_context(stack.auth())
        await until(stack.has_epoch)
        async with stack.media(revocation_max_staleness=1.2) as media:
            alive, *dead = await stack.tokens(6)
            await media.until(alive, 200)
            await cut(stack)
            for token in dead:
                assert (await log_out(auth, token)).code == "revocation_pending"
            await first.aclose()
            await media.until(alive, 503)
            held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
            async with stack.auth():
                await join(stack)
                await held.wait()
                await expect_nobody(media, (alive, *dead), seconds=1)
                go_on.set()
                await expect_only(media, alive, dead)


async def test_outage_without_publishers_ends_after_some_seconds(stack: BreakableStack) -> None:
    [alive] = await stack.tokens(1)
    async with stack.auth():
        await until(stack.has_epoch)
    async with stack.media(revocation_max_staleness=1.2) as media:
        await media.until(alive, 200)
        await stack.proxies["media"].refuse()
        await media.until(alive, 503)
        await stack.proxies["media"].listen()
        await media.until(alive, 200, NO_PUBLISHER_SECONDS + 2)


async def test_media_service_starts_without_auth_service(stack: BreakableStack) -> None:
    alive, dead = await stack.tokens(2)
    async with stack.auth() as auth:

        async def logged_out() -> bool:
            return (await log_out(auth, dead)).status == 204

        await until(logged_out)
    async with stack.media() as media:
        await media.until(alive, 200, NO_PUBLISHER_SECONDS + 2)
        assert (await media.ask(dead)).code == "token_revoked"


async def test_media_service_without_an_epoch_refuses_until_there_is_one(
    stack: BreakableStack,
) -> None:
    [alive] = await stack.tokens(1)
    async with stack.media() as media:
        assert (await media.ask(alive)).code == "service_unavailable"
        async with media.http.get("/readyz") as ready:
            assert ready.status == 503
        async with stack.auth():
            await media.until(alive, 200, 2)


async def test_slow_network_is_no_outage(stack: BreakableStack) -> None:
    async with stack.both() as (auth, media):
        alive, dead = await stack.tokens(2)
        for proxy in stack.proxies.values():
            proxy.delay = 0.1
        slow_since = time.monotonic()
        assert (await log_out(auth, dead)).status == 204
        await media.until(dead, 401, 2)
        while time.monotonic() - slow_since < 2.5:
            assert media.app[AUTHENTICATOR].cache.staleness < 2.2
            await asyncio.sleep(0.1)
        assert await media.status(alive) == 200


async def test_publisher_over_slow_network_starts(stack: BreakableStack) -> None:
    """To make a connection takes longer than the publisher waits for an answer."""
    stack.proxies["auth"].delay = 0.1
    async with stack.auth():
        await until(stack.has_epoch, 6)


async def test_unresponsive_subscription_is_replaced(
    stack: BreakableStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that listens is half open, while looks go through."""
    async with stack.both() as (auth, media):
        early, late = await stack.tokens(2)
        proxy = stack.proxies["media"]
        monkeypatch.setattr(subscriber, "HEAD_CHECK_SECONDS", 0.2)
        proxy.drop_subscriptions()
        assert (await log_out(auth, early)).status == 204
        await media.until(early, 401, 1.5)  # found at the head
        assert proxy.subscriptions == 1

        async def subscribed_anew() -> bool:
            return proxy.subscriptions == 2

        await until(subscribed_anew, 3)
        assert (await log_out(auth, late)).status == 204
        await media.until(late, 401, 3)
