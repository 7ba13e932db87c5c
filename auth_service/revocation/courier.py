"""Tells what handlers have just committed, many at once when many come at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from auth_service.revocation.backlog import Entries
from auth_service.revocation.model import StoredRevocation
from shared.background import cancel_and_wait
from shared.errors import ServiceUnavailable

CALLS_AT_ONCE = 2
PER_CALL = 500
GIVE_UP_SECONDS = 0.5
MARK_SECONDS = 0.1
log = structlog.get_logger()


class Courier:
    """Publishes rows one call at a time or two: what comes meanwhile shares the next one.

    That a row was published is noted a moment after its handler was answered, for many rows in
    one statement. When it is not noted, because somebody died, the row is told again.
    """

    def __init__(
        self,
        publish: Callable[[Sequence[StoredRevocation]], Awaitable[Entries]],
        mark: Callable[[Entries], Awaitable[None]],
    ) -> None:
        """Tell rows with `publish`, note it with `mark`."""
        self._publish = publish
        self._mark = mark
        self._waiting: list[tuple[StoredRevocation, asyncio.Future[None]]] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._told: Entries = {}
        self._marking: asyncio.Task[None] | None = None

    async def send(self, row: StoredRevocation) -> None:
        """Return once the row is published.

        Raises:
            ServiceUnavailable, TimeoutError: it may not be.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._waiting.append((row, answer))
        if len(self._calls) < CALLS_AT_ONCE:
            call = loop.create_task(self._call())
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        await answer

    async def _call(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:PER_CALL], self._waiting[PER_CALL:]
            wrong = await self._tell([row for row, _ in batch])
            for _, answer in batch:
                if answer.done():  # its handler has given up
                    continue
                answer.set_exception(wrong) if wrong else answer.set_result(None)

    async def _tell(self, rows: Sequence[StoredRevocation]) -> Exception | None:
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                self._told |= await self._publish(rows)
        except Exception as wrong:  # noqa: BLE001 - whoever waits has to be told, whatever it is
            return wrong
        if self._marking is None or self._marking.done():
            self._marking = asyncio.get_running_loop().create_task(self._mark_soon())
        return None

    async def _mark_soon(self) -> None:
        await asyncio.sleep(MARK_SECONDS)
        await self._mark_told()

    async def _mark_told(self) -> None:
        told, self._told = self._told, {}
        try:
            await self._mark(told)
        except ServiceUnavailable:
            log.warning("revocations.marking_failed", count=len(told))

    async def end(self) -> None:
        """Note what has not been noted yet; whoever is still being told is not any more."""
        for call in list(self._calls):
            await cancel_and_wait(call)
        if self._marking is not None:
            await cancel_and_wait(self._marking)
        if self._told:
            await self._mark_told()
