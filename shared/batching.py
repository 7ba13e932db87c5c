"""Batches concurrent calls: the calls of one tick of the loop are done by one function call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.background import cancel_and_wait
from shared.errors import ServiceUnavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Hands items to `work` in batches, and returns to each caller its own answer.

    `work` returns an answer or an error for each item, in order; an error that it raises is every
    caller's. A lone item waits for one tick only. While `max_calls` calls run, the next items
    gather. What was submitted is done even if its caller is cancelled; no other caller notices.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        max_calls: int,
        max_size: int | None = None,
    ) -> None:
        """Call `work` with up to `max_size` items, at most `max_calls` times at once."""
        self._work = work
        self._max_calls = max_calls
        self._max_size = max_size
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self.calls: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """Return the item's answer, or raise its error; `ServiceUnavailable` after `close`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._start_calls)
        return await answer

    def fail_held_back(self, error: Exception) -> None:
        """Fail the items that wait for a call to end: theirs would hardly fare better."""
        if len(self.calls) >= self._max_calls:
            self._fail_waiting(error)

    async def close(self) -> None:
        """End all calls; every item without an answer raises `ServiceUnavailable`."""
        self._fail_waiting(ServiceUnavailable())
        for call in list(self.calls):
            await cancel_and_wait(call)

    def _start_calls(self) -> None:
        while self._waiting and len(self.calls) < self._max_calls:
            size = self._max_size or len(self._waiting)
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            call = asyncio.get_running_loop().create_task(self._call(batch))
            self.calls.add(call)
            call.add_done_callback(self._on_call_done)

    def _on_call_done(self, call: asyncio.Task[None]) -> None:
        self.calls.discard(call)
        self._start_calls()

    async def _call(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:  # by `close`
            answers = [ServiceUnavailable()] * len(batch)
        except Exception as error:  # noqa: BLE001 - every caller needs it, whatever it is
            answers = [error] * len(batch)
        _settle(batch, answers)

    def _fail_waiting(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, []
        _settle(waiting, [error] * len(waiting))


def _settle(
    batch: Sequence[tuple[Item, asyncio.Future[Answer]]], answers: Sequence[Answer | Exception]
) -> None:
    for (_, waiter), answer in zip(batch, answers, strict=True):
        if waiter.done():  # its caller was cancelled
            continue
        if isinstance(answer, Exception):
            waiter.set_exception(answer)
        else:
            waiter.set_result(answer)
