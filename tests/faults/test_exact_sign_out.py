"""Once a sign-out is answered 204 no replica honours its token, whatever happens meanwhile."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from media_service.resources import AUTHENTICATOR
from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.message import REVOCATION_HEAD, REVOCATION_STREAM
from tests.faults.stack import BreakableStack, Media, Token, log_out
from tests.faults.test_redis import cut, end, freeze, join, lose, mend, start, thaw
from tests.support.auth_client import AuthClient
from tests.support.command_process import run_command, wait_for_address
from tests.support.long_runs import amount
from tests.support.waiting import until

STALENESS = 1.0
PER_SECOND = 60
SIGN_OUTS = PER_SECOND * 10
BEFORE_SECONDS = 0.5
FAULT_SECONDS = 1.5
SLOW_SECONDS = 0.5
Step = Callable[[BreakableStack], Awaitable[None]]


def honours(media: Media, token: Token) -> bool:
    try:
        media.app[AUTHENTICATOR].authenticate(token.text)
    except (TokenRevoked, ServiceUnavailable):
        return False
    return True


async def until_honoured(media: Media, token: Token) -> None:
    await until(lambda: honours(media, token))


@dataclass
class SignOuts:
    """Signs out at a steady rate, and tries each token at once on each replica."""

    auth: AuthClient
    replicas: list[Media]
    done: list[Token] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    honoured: list[tuple[float, float]] = field(default_factory=list)
    last_done_at: float = 0

    async def sign_out(self, token: Token) -> None:
        """Sign out; a call that is answered 503 is repeated, as its answer says."""
        began = time.monotonic()
        status = (await log_out(self.auth, token)).status
        self.statuses.add(status)
        if status == 204:
            self.done.append(token)
            self.look(began, [token])
            self.took.append(time.monotonic() - began)
            self.last_done_at = time.monotonic()
        elif self.statuses <= {204, 503}:
            await asyncio.sleep(0.1)
            await self.sign_out(token)

    def look(self, began: float, tokens: list[Token]) -> None:
        for media in self.replicas:
            for token in tokens:
                if honours(media, token):
                    self.honoured.append((began, time.monotonic() - began))

    async def look_again_and_again(self) -> None:
        """What a replica refused once it never honours again."""
        while True:
            self.look(time.monotonic(), self.done)
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self, tokens: list[Token]) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self.look_again_and_again())
            feeding = tasks.create_task(self._feed(tokens, tasks))
            yield
            feeding.cancel()
            await self._settle(tokens)
            looking.cancel()

    async def _feed(self, tokens: list[Token], tasks: asyncio.TaskGroup) -> None:
        for token in tokens:
            tasks.create_task(self.sign_out(token))
            await asyncio.sleep(1 / PER_SECOND)

    async def _settle(self, tokens: list[Token]) -> None:
        """New tokens are signed out at once, as before the fault."""
        last = tokens[-1]

        async def quick() -> bool:
            began = time.monotonic()
            answered = (await log_out(self.auth, last)).status == 204
            return answered and time.monotonic() - began < SLOW_SECONDS

        await until(quick)


@asynccontextmanager
async def signing_out(
    stack: BreakableStack, *, replicas: int = 2
) -> AsyncIterator[tuple[SignOuts, list[Token], Token]]:
    """Both services, once tokens count; with the tokens to sign out, and one to keep."""
    changes = {"revocation_max_staleness": STALENESS}
    async with AsyncExitStack() as exits:
        auth = await exits.enter_async_context(stack.auth(**changes))
        await until(stack.has_epoch)
        media = [await exits.enter_async_context(stack.media(**changes)) for _ in range(replicas)]
        alive, *tokens = await stack.tokens(SIGN_OUTS + 1)
        for one in media:
            await until_honoured(one, alive)
        await asyncio.sleep(STALENESS)  # until the publisher knows its subscribers
        yield SignOuts(auth, media), tokens, alive


async def nothing(_: BreakableStack) -> None:
    """No fault, or one that ends by itself."""


async def wipe(stack: BreakableStack) -> None:
    await stack.redis.flushall()


async def fail_over(stack: BreakableStack) -> None:
    """All connections break, and the new master lacks what was acknowledged last."""
    behind: Any = {key: await stack.redis.dump(key) for key in (REVOCATION_STREAM, REVOCATION_HEAD)}
    await asyncio.sleep(0.3)
    for proxy in stack.proxies.values():
        await proxy.refuse()
    for key, value in behind.items():
        if value:
            await stack.redis.restore(key, 0, value, replace=True)
    for proxy in stack.proxies.values():
        await proxy.listen()


async def lose_media(stack: BreakableStack) -> None:
    stack.proxies["media"].drop_bytes()


async def mend_media(stack: BreakableStack) -> None:
    stack.proxies["media"].accept_again()


async def lose_subscriptions_of_auth(stack: BreakableStack) -> None:
    stack.proxies["auth"].drop_subscriptions()


async def lose_subscriptions_of_media(stack: BreakableStack) -> None:
    stack.proxies["media"].drop_subscriptions()


FAULTS: dict[str, tuple[Step, Step]] = {
    "none": (nothing, nothing),
    "Redis frozen": (freeze, thaw),
    "Redis cut": (cut, join),
    "Redis half open": (lose, mend),
    "Redis killed": (end, start),
    "Redis wiped": (wipe, nothing),
    "Redis failed over": (fail_over, nothing),
    "media_service half open": (lose_media, mend_media),
    "media_service's subscription half open": (lose_subscriptions_of_media, nothing),
    "auth_service's subscription half open": (lose_subscriptions_of_auth, nothing),
}


OFTEN = ("none", "Redis frozen", "Redis failed over", "media_service half open")


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS if amount(0, 1) else OFTEN)
async def test_signed_out_token_is_never_honoured_after_the_answer(
    stack: BreakableStack, name: str
) -> None:
    begin, finish = FAULTS[name]
    async with signing_out(stack) as (sign_outs, tokens, alive):
        async with sign_outs.running(tokens):
            await asyncio.sleep(BEFORE_SECONDS)
            await begin(stack)
            began_at = time.monotonic()
            await asyncio.sleep(FAULT_SECONDS)
            await finish(stack)
            await until(lambda: sign_outs.last_done_at > began_at + FAULT_SECONDS)
        assert sign_outs.honoured[:3] == []
        assert sign_outs.statuses <= {204, 503}
        assert len(sign_outs.done) > PER_SECOND * BEFORE_SECONDS / 2
        for media in sign_outs.replicas:
            await until_honoured(media, alive)
        assert sign_outs.honoured[:3] == []


async def test_replicas_that_start_and_end_never_honour_a_signed_out_token(
    stack: BreakableStack,
) -> None:
    async with signing_out(stack) as (sign_outs, tokens, alive):
        async with sign_outs.running(tokens):
            for _ in range(2):
                async with stack.media(revocation_max_staleness=STALENESS) as newcomer:
                    sign_outs.replicas.append(newcomer)
                    await until_honoured(newcomer, alive)
                    await asyncio.sleep(BEFORE_SECONDS)
                assert not honours(newcomer, alive)
            await until(lambda: len(sign_outs.done) > PER_SECOND)
        assert sign_outs.honoured[:3] == []
        assert sign_outs.statuses == {204}


@asynccontextmanager
async def media_process(stack: BreakableStack, folder: Path) -> AsyncIterator[tuple[int, str]]:
    """A replica in a process of its own, which can be frozen; yields its id and its address."""
    values = {name.upper(): str(value) for name, value in stack.values["media"].items()}
    environment = {**os.environ, **values, "PORT": "0", "DRAIN_SECONDS": "0"}
    environment["REVOCATION_MAX_STALENESS"] = "3"
    output = folder / f"media-{next(NUMBERS)}.log"
    async with run_command(
        "media_service", "serve", environment=environment, output=output
    ) as process:
        async with asyncio.timeout(20):
            address = await wait_for_address(output)
        assert process.pid is not None
        try:
            yield process.pid, address
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)


NUMBERS = count()


async def ask(http: ClientSession, address: str, token: Token) -> int:
    headers = {"Authorization": f"Bearer {token.text}"}
    async with http.get(f"{address}/v1/media/creatives", headers=headers) as answer:
        return answer.status


async def test_frozen_replica_is_waited_for_once_and_honours_nothing_when_it_wakes(
    stack: BreakableStack, tmp_path: Path
) -> None:
    async with (
        stack.auth() as auth,
        ClientSession() as http,
        media_process(stack, tmp_path) as (pid, address),
    ):
        alive, *tokens = await stack.tokens(41)

        async def counts() -> bool:
            with suppress(ClientError):
                return await ask(http, address, alive) == 200
            return False

        await until(counts, 20)
        await asyncio.sleep(3)  # until the publisher knows its subscribers
        os.kill(pid, signal.SIGSTOP)
        frozen_at = time.monotonic()

        async def sign_out(token: Token) -> float:
            began = time.monotonic()
            assert (await log_out(auth, token)).status == 204
            return time.monotonic() - began

        first = await asyncio.gather(*map(sign_out, tokens[:20]))
        assert 1 < max(first) <= 3.5
        assert time.monotonic() - frozen_at <= 3.5 + SLOW_SECONDS
        after = [await sign_out(token) for token in tokens[20:]]
        assert max(after) < 1
        os.kill(pid, signal.SIGCONT)
        woken = await asyncio.gather(*(ask(http, address, token) for token in tokens))
        assert set(woken) <= {401, 503}
        await until(counts)
        woken = await asyncio.gather(*(ask(http, address, token) for token in tokens))
        assert set(woken) == {401}
