"""Redis frozen, unreachable, half open, killed or wiped: nobody who was signed out is let in."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.faults.stack import BreakableStack, Media, Token, kill, log_out, send_signal

BACK = 5  # what recovery may take; `make bench` prints what it takes on an idle machine
DEAD = 1
Fault = Callable[[BreakableStack], Awaitable[None]]


async def freeze(stack: BreakableStack) -> None:
    send_signal(stack.valkey, signal.SIGSTOP)


async def thaw(stack: BreakableStack) -> None:
    send_signal(stack.valkey, signal.SIGCONT)


async def cut(stack: BreakableStack) -> None:
    for proxy in stack.proxies.values():
        await proxy.refuse()


async def join(stack: BreakableStack) -> None:
    for proxy in stack.proxies.values():
        await proxy.listen()


async def lose(stack: BreakableStack) -> None:
    for proxy in stack.proxies.values():
        proxy.drop_bytes()


async def mend(stack: BreakableStack) -> None:
    for proxy in stack.proxies.values():
        proxy.accept_again()


async def end(stack: BreakableStack) -> None:
    await asyncio.to_thread(kill, stack.valkey)


async def start(stack: BreakableStack) -> None:
    stack.valkey.start()


FAULTS = {
    "frozen": (freeze, thaw, 3),
    "half open": (lose, mend, 3),
    "cut": (cut, join, 1.8),  # the bound is a setting, and a test of 3 s takes 3 s
    "killed": (end, start, 1.8),
}


class Watch:
    """Asks again and again whether a token counts, and notes when it last did."""

    def __init__(self, media: Media, token: Token) -> None:
        self._media = media
        self._token = token
        self.last_honoured = time.monotonic()
        self.seen: set[int] = set()
        self.slack = 0.0  # how late this machine, which others use too, wakes us at worst

    async def look(self) -> None:
        while True:
            asked_at = time.monotonic()
            status = await self._media.status(self._token)
            self.seen.add(status)
            if status == 200:
                self.last_honoured = asked_at
            slept_at = time.monotonic()
            await asyncio.sleep(0.01)
            self.slack = max(self.slack, time.monotonic() - slept_at - 0.01)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Watch"]:
        task = asyncio.create_task(self.look())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.mark.parametrize("name", FAULTS)
async def test_redis_unreachable_refuses_all_after_the_bound(
    stack: BreakableStack, name: str
) -> None:
    begin, finish, bound = FAULTS[name]
    async with stack.both(revocation_max_staleness=bound) as (auth, media):
        alive, dead, before = await stack.tokens(3)
        assert (await log_out(auth, before)).status == 204
        await media.until(before, 401)
        assert [await media.status(token) for token in (alive, dead)] == [200, 200]
        async with Watch(media, dead).open() as watch:
            await begin(stack)
            began_at = time.monotonic()
            refused = await log_out(auth, dead)
            assert (refused.status, refused.code) == (503, "revocation_pending")
            assert refused.headers["Retry-After"] == "1"
            await media.until(alive, 503)
            assert (await media.ask(alive)).code == "service_unavailable"
            assert (await media.ask(before)).code == "token_revoked"  # this is known all the same
            assert watch.last_honoured - began_at <= bound
            await finish(stack)
            ended_at = time.monotonic()
            await media.until(alive, 200)
            back = time.monotonic() - ended_at
            assert back <= BACK + watch.slack
            await media.until(dead, 401)
            honoured = watch.last_honoured - ended_at
            assert honoured <= DEAD + watch.slack
            print(f"{name}: back after {back:.2f} s, revoked honoured until {honoured:.2f} s")
            assert (await log_out(auth, dead)).status == 204
            assert time.monotonic() - ended_at <= BACK + 0.5 + watch.slack
        assert watch.seen <= {200, 401, 503}
        assert (await media.ask(dead)).code == "token_revoked"
