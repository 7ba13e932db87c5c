"""Sends requests at an even pace and remembers every answer that an honest client must not get."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession

from tests.support.auth_client import Answer, read

NO_ANSWER = 0
SERVER_ERROR = 500


class UnexpectedAnswer(Exception):
    """The answer is none that this request may get; it is already recorded."""


@dataclass
class Pacer:
    """Gives each request its turn, `rate` of them a second; None: at once."""

    rate: float | None = None
    _next: float = 0

    async def turn(self) -> None:
        if self.rate is None:
            return
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + 1 / self.rate
        await asyncio.sleep(turn - now)


@dataclass(frozen=True)
class Refusal:
    """An answer that was not to be expected; status 0: none came."""

    at: float
    step: str
    status: int
    text: str

    @property
    def is_server_error(self) -> bool:
        return self.status == NO_ANSWER or self.status >= SERVER_ERROR

    def __str__(self) -> str:
        return f"{self.at:.1f} s, {self.step}: {self.status or 'no answer'} {self.text}"


@dataclass
class Record:
    """Every request of the run, counted by step; `honoured`: tokens that outlived their 204."""

    began: float = field(default_factory=time.monotonic)
    refusals: list[Refusal] = field(default_factory=list)
    honoured: list[str] = field(default_factory=list)
    wrong_bytes: list[str] = field(default_factory=list)
    sign_outs: int = 0
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def requests(self) -> int:
        return sum(counter.total() for counter in self.statuses.values())

    def refuse(self, step: str, status: int, text: str) -> UnexpectedAnswer:
        refusal = Refusal(time.monotonic() - self.began, step, status, text[:300])
        self.refusals.append(refusal)
        return UnexpectedAnswer(str(refusal))

    @contextmanager
    def timed(self, step: str) -> Iterator[list[int]]:
        """Count and time one request; the block appends its status, else there was no answer."""
        began, status = time.monotonic(), list[int]()
        try:
            yield status
        finally:
            self.seconds[step].append(time.monotonic() - began)
            self.statuses[step][status[0] if status else NO_ANSWER] += 1


@dataclass(frozen=True)
class Client:
    """An app's connection to the stack, paced and recorded."""

    http: ClientSession
    record: Record
    pacer: Pacer

    async def call(
        self, step: str, method: str, path: str, *expected: int, token: str = "", **options: Any
    ) -> Answer:
        """Send one request.

        Raises:
            UnexpectedAnswer: no answer came, or not one of `expected`.
        """
        await self.pacer.turn()
        headers = dict(options.pop("headers", {}))
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        with self.record.timed(step) as status:
            try:
                async with self.http.request(method, path, headers=headers, **options) as response:
                    answer = await read(response)
            except (ClientError, OSError, TimeoutError) as error:
                raise self.record.refuse(step, NO_ANSWER, repr(error)) from error
            status.append(answer.status)
        if answer.status not in expected:
            raise self.record.refuse(step, answer.status, str(answer.body))
        return answer
