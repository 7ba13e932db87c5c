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
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def running_calls(self) -> int:
        """The number of calls that have not ended."""
        return len(self._calls)

    async def submit(self, item: Item) -> Answer:
        """Return the item's answer.

        Raises:
            ServiceUnavailable: `close` was called.
            Exception: the error of `work`.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._start_calls)
        return await answer

    def fail_held_back(self, error: Exception) -> None:
        """Fail the items that wait for a call to end: theirs would hardly fare better."""
        if len(self._calls) >= self._max_calls:
            self._fail_waiting(error)

    async def close(self) -> None:
        """End all calls; every item without an answer raises `ServiceUnavailable`."""
        self._fail_waiting(_closed())
        for call in list(self._calls):
            await cancel_and_wait(call)

    def _start_calls(self) -> None:
        while self._waiting and len(self._calls) < self._max_calls:
            size = self._max_size or len(self._waiting)
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            call = asyncio.get_running_loop().create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._on_call_done)

    def _on_call_done(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._start_calls()

    async def _call(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            answers = [_closed()] * len(batch)
        except Exception as error:  # noqa: BLE001 - every caller needs it, whatever it is
            answers = [error] * len(batch)
        for (_, waiter), answer in zip(batch, answers, strict=True):
            _settle(waiter, answer)

    def _fail_waiting(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, []
        for _, waiter in waiting:
            _settle(waiter, error)


def _settle(waiter: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if waiter.done():  # its caller was cancelled
        return
    if isinstance(answer, Exception):
        waiter.set_exception(answer)
    else:
        waiter.set_result(answer)


def _closed() -> ServiceUnavailable:
    return ServiceUnavailable(detail="The service is stopping")
