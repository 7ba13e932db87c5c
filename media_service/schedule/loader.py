"""Batches schedule reads: those of the same moment share a statement."""

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
    """Reads up to 16 schedules in one statement, which costs little more than one schedule.

    A single read starts at once; while 4 statements run, the next reads form a batch. A cancelled
    read does not affect the others. When a statement fails, its reads are repeated one by one, so
    that only the faulty one fails.
    """

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database
        self._waiting: list[_PendingRead] = []
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, user_id: UUID, days: DayBounds) -> bytes:
        """Return the user's creatives of those days as JSON.

        Raises:
            ServiceUnavailable: the database is away.
        """
        loop = asyncio.get_running_loop()
        read = _PendingRead(user_id, days, loop.create_future())
        self._waiting.append(read)
        if len(self._waiting) == 1:
            loop.call_soon(self._start)
        return await read.answer

    def _start(self) -> None:
        while self._waiting and len(self._running) < MAX_CONCURRENT_BATCHES:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            task = asyncio.get_running_loop().create_task(self._load(batch))
            self._running.add(task)
            task.add_done_callback(self._on_batch_done)

    def _on_batch_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    async def _load(self, batch: Sequence["_PendingRead"]) -> None:
        wanted = [read for read in batch if not read.answer.done()]
        try:
            texts = await self._fetch(wanted)
        except Exception as error:  # noqa: BLE001 - every waiting read gets the error
            if isinstance(error, ServiceUnavailable):  # then no queued read waits in vain
                queued, self._waiting = self._waiting, []
                _fail([*wanted, *queued], error)
            elif len(wanted) == 1:
                _fail(wanted, error)
            else:
                for read in wanted:
                    await self._load([read])
            return
        for read, text in zip(wanted, texts, strict=True):
            if not read.answer.done():
                read.answer.set_result(text.encode())

    async def _fetch(self, reads: Sequence["_PendingRead"]) -> list[str]:
        async with self._database.connection() as connection:
            asked = [(read.user_id, read.days) for read in reads]
            return await repository.read_schedules(connection, asked)


def _fail(reads: Sequence["_PendingRead"], error: Exception) -> None:
    for read in reads:
        if not read.answer.done():
            read.answer.set_exception(error)


class _PendingRead(NamedTuple):
    user_id: UUID
    days: DayBounds
    answer: asyncio.Future[bytes]
