"""Reads that are asked for at the same moment share a statement."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from media_service.schedule import repository
from media_service.schedule.model import DayBounds
from shared.db import Database
from shared.errors import ServiceUnavailable

MAX_BATCH = 16
MAX_CONCURRENT_BATCHES = 4


class ScheduleLoader:
    """Reads schedules: at most 16 in one statement, which costs little more than one alone.

    One that comes alone is read at once; while 4 statements are under way, the next ones gather.
    Whoever gives up disturbs nobody. When a statement fails, its reads are repeated one by one, so
    that each fails for itself alone.
    """

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database
        self._waiting: list[_Read] = []
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, user_id: UUID, days: DayBounds) -> bytes:
        """Return the user's creatives of those days as JSON.

        Raises:
            ServiceUnavailable: the database is away.
        """
        loop = asyncio.get_running_loop()
        read = _Read(user_id, days, loop.create_future())
        self._waiting.append(read)
        if len(self._waiting) == 1:
            loop.call_soon(self._start)
        return await read.answer

    def _start(self) -> None:
        while self._waiting and len(self._running) < MAX_CONCURRENT_BATCHES:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            task = asyncio.get_running_loop().create_task(self._answer(batch))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    async def _answer(self, batch: Sequence["_Read"]) -> None:
        wanted = [read for read in batch if not read.answer.done()]
        try:
            texts = await self._fetch(wanted)
        except Exception as wrong:  # noqa: BLE001 - whoever waits has to be told, whatever it is
            if isinstance(wrong, ServiceUnavailable):  # then nobody waits for a turn to learn it
                behind, self._waiting = self._waiting, []
                _tell([*wanted, *behind], wrong)
            elif len(wanted) == 1:
                _tell(wanted, wrong)
            else:
                for read in wanted:
                    await self._answer([read])
            return
        for read, text in zip(wanted, texts, strict=True):
            if not read.answer.done():
                read.answer.set_result(text.encode())

    async def _fetch(self, reads: Sequence["_Read"]) -> list[str]:
        async with self._database.connection() as connection:
            asked = [(read.user_id, read.days) for read in reads]
            return await repository.scheduled(connection, asked)


def _tell(reads: Sequence["_Read"], wrong: Exception) -> None:
    for read in reads:
        if not read.answer.done():
            read.answer.set_exception(wrong)


class _Read(NamedTuple):
    user_id: UUID
    days: DayBounds
    answer: asyncio.Future[bytes]
