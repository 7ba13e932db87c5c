"""The worker: keeps deliveries in hand, lets a sender send each, and takes over from the dead."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator

import structlog

from auth_service.delivery.model import Entry
from auth_service.delivery.queue import Queue
from auth_service.delivery.sender import Sender, TakenOverError
from shared.background import run_periodically
from shared.errors import ServiceUnavailable

AT_ONCE = 128
POLL_SECONDS = 0.05
RENEW_SECONDS = 1.0
log = structlog.get_logger()


class Worker:
    """Sends what is in the queue, up to 128 deliveries at once.

    While a delivery is in hand its claim is renewed each second; one that is not renewed for 3.5 s
    is taken over by whoever looks next.
    """

    def __init__(self, queue: Queue, sender: Sender) -> None:
        """Take from `queue`, hand to `sender`."""
        self._queue = queue
        self._sender = sender
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._prepared = False

    async def look(self) -> None:
        """Take what there is room for and start sending it."""
        if not self._prepared:
            await self._queue.prepare()
            self._prepared = True
        room = AT_ONCE - len(self._in_hand)
        if room <= 0:
            return
        try:
            entries = await self._queue.take(room)
        except Exception:
            self._prepared = False  # a wiped Redis has no consumer group any more
            raise
        for entry in entries:
            if entry.place not in self._in_hand:
                task = asyncio.create_task(self._handle(entry))
                self._in_hand[entry.place] = task
                task.add_done_callback(functools.partial(self._let_go, entry.place))

    async def renew(self) -> None:
        """Keep the claims of what is in hand; drop what another worker has taken over."""
        if not self._in_hand:
            return
        for place in await self._queue.renew(list(self._in_hand)):
            if task := self._in_hand.get(place):
                task.cancel()
                log.warning("delivery.taken_over", place=place)

    async def stop(self) -> None:
        """Let go of what is in hand; another worker takes it over, or this one after a restart."""
        tasks = list(self._in_hand.values())
        while tasks and any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=POLL_SECONDS)

    def _let_go(self, place: str, _task: asyncio.Task[None]) -> None:
        self._in_hand.pop(place, None)

    async def _handle(self, entry: Entry) -> None:
        try:
            await self._sender.send(self._queue, entry)
        except (TakenOverError, ServiceUnavailable):
            log.warning("delivery.left_in_queue", delivery_id=entry.id)
        except Exception as bug:
            # Not left in the queue: it would crash every worker in turn, for ever.
            log.exception("delivery.crashed", delivery_id=entry.id)
            await self._queue.bury(entry, {"worker": type(bug).__name__}, self._sender.now())


@contextlib.asynccontextmanager
async def working(queue: Queue, sender: Sender) -> AsyncIterator[None]:
    """Run a worker beside the block."""
    worker = Worker(queue, sender)
    try:
        async with (
            run_periodically("deliveries", worker.look, pause=POLL_SECONDS),
            run_periodically("delivery_claims", worker.renew, pause=RENEW_SECONDS),
        ):
            yield
    finally:
        await worker.stop()
