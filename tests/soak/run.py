"""One run: the stack, the users, the samples, the verdicts."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.soak.codes import Codes, receiving_codes
from tests.soak.judgement import conduct_verdicts, growth_verdicts, second_half
from tests.soak.log_lines import server_troubles, service_troubles
from tests.soak.options import Options, stack_settings
from tests.soak.processes import Sample, Sampler
from tests.soak.record import Client, Pacer, Record
from tests.soak.report import Run
from tests.soak.stack import RunningStack, SoakError, running_stack
from tests.soak.users import Administrator, User
from tests.soak.warm_up import fill_token_caches

TIMEOUT = ClientTimeout(total=30)
TOLD_SECONDS = 60
HALF = 0.5


@dataclass
class Load:
    """The users at the stack, and the processes under them."""

    options: Options
    stack: RunningStack
    client: Client
    codes: Codes
    sampler: Sampler

    async def run(self) -> tuple[Sample, float, float]:
        """Return what was held when idle, and when the steady load began and ended."""
        await asyncio.sleep(self.options.idle)
        idle = self.sampler.sample()
        await fill_token_caches(self.stack.data, self.stack.address, self.options.tokens)
        self._say(f"{self.options.tokens:,} tokens shown to each service")
        users = await self._users()
        async with self._at_work(users):
            await self._find_rate()
            begin = self.sampler.now()
            await self._last(self.options.seconds)
            end = self.sampler.now()
        self._say("the load has ended; caches settle")
        await self._last(self.options.settle)
        self.sampler.sample()
        return idle, begin, end

    async def _users(self) -> list[User]:
        life = self.options.token_life
        users = [User(self.client, self.codes, life, seed) for seed in range(self.options.accounts)]
        administrator = Administrator(self.client, self.codes, life, len(users))
        for user in (*users, administrator):
            await user.sign_out(await user.register())
        await asyncio.to_thread(self.stack.grant_admin, administrator.mobile)
        return [*users, administrator]

    @asynccontextmanager
    async def _at_work(self, users: Sequence[User]) -> AsyncIterator[None]:
        """Have the users at work inside the block; a bug of theirs ends the run."""
        tasks = [asyncio.create_task(user.live()) for user in users]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise SoakError("a user of the soak crashed") from error

    async def _find_rate(self) -> None:
        """Set the pace: what was asked for, or half of what was served at full speed."""
        if (rate := self.options.rate) is None:
            before, began = self.client.record.requests, time.monotonic()
            await self._last(self.options.calibrate)
            seconds = time.monotonic() - began
            rate = HALF * (self.client.record.requests - before) / seconds
        self.client.pacer.rate = rate
        self._say(f"load of {rate:.0f} requests a second for {self.options.minutes:g} minutes")

    async def _last(self, seconds: float) -> None:
        """Let time pass and tell now and then how it goes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, TOLD_SECONDS))
            self.stack.check()
            record = self.client.record
            self._say(f"{record.requests:,} requests, {len(record.refusals)} unexpected answers")

    def _say(self, text: str) -> None:
        print(f"{self.sampler.now():7.0f} s  {text}", flush=True)


async def soak(options: Options) -> Run:
    """Run the load and return what was found.

    Raises:
        SoakError: the stack did not start, or ended.
    """
    async with receiving_codes() as codes:
        with running_stack(stack_settings(options, codes.address)) as stack:
            beginnings = [log.stat().st_size for log in stack.server_logs]
            record, pacer = Record(), Pacer()
            sampler = Sampler(stack.process.pid, options.interval, record.began)
            sampling = asyncio.create_task(sampler.run())
            connector = TCPConnector(limit=0)
            async with ClientSession(stack.address, connector=connector, timeout=TIMEOUT) as http:
                load = Load(options, stack, Client(http, record, pacer), codes, sampler)
                idle, begin, end = await load.run()
            sampling.cancel()
            with suppress(asyncio.CancelledError):
                await sampling
            # They also warn of their own end, so they are read before it.
            troubles = [*chain(*map(server_troubles, stack.server_logs, beginnings))]
            exit_code = await asyncio.to_thread(stack.stop)
            troubles += service_troubles(stack.log)
    about = describe(options, pacer.rate or 0, record.requests)
    growth = growth_verdicts(second_half(sampler.samples, begin, end), options)
    verdicts = [*conduct_verdicts(record, troubles, options, exit_code), *growth]
    return Run(about, sampler.samples, idle, begin, end, record, verdicts)


def describe(options: Options, rate: float, requests: int) -> str:
    """Return one line about what was run, and where."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {options.minutes:g} minutes of mixed load, "
        f"{options.accounts} users and an administrator, {rate:.0f} requests a second "
        f"({requests:,} requests); access tokens live {options.token_life} s. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}."
    )
