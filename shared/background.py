"""Background tasks: they survive every error until they are cancelled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from redis.exceptions import RedisError

from shared.errors import ServiceUnavailable
from shared.logs import describe_error

CANCEL_AGAIN_SECONDS = 0.2
LEAST_PAUSE_SECONDS = 0.1
"""Between two calls that a `wake` brings, so that requests to wake are no load."""
log = structlog.get_logger()


@contextlib.asynccontextmanager
async def run_periodically(
    name: str,
    once: Callable[[], Awaitable[object]],
    *,
    pause: float | Callable[[], float],
    delay: float = 0,
    wake: asyncio.Event | None = None,
) -> AsyncIterator[None]:
    """Call `once` again and again until the block ends, `pause` seconds apart, after `delay`.

    A `pause` that changes is a function, called after each time; `wake` ends it when it is set. An
    unreachable server is logged once as a warning, any other error with its traceback. Only a
    cancellation ends the loop.
    """
    woken = wake or asyncio.Event()

    async def repeat() -> None:
        await asyncio.sleep(delay)
        reported = set[str]()  # each cause is logged once, also where causes alternate
        while True:
            try:
                await once()
                reported.clear()
            except* (RedisError, OSError, TimeoutError, ServiceUnavailable) as lost:
                error = describe_error(lost.exceptions[0])
                if error not in reported:
                    reported.add(error)
                    log.warning("task.interrupted", task=name, error=error)
            except* Exception:
                log.exception("task.failed", task=name)
            seconds = pause() if callable(pause) else pause
            least = min(seconds, LEAST_PAUSE_SECONDS)
            await asyncio.sleep(least)
            await wait_for_event(woken, seconds - least)
            woken.clear()

    task = asyncio.create_task(repeat(), name=name)
    try:
        yield
    finally:
        await cancel_and_wait(task)


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Return whether the event is set, as soon as it is, or after so many seconds."""
    if not event.is_set():  # a time-out costs a sign-out one percent of its time
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
    return event.is_set()


async def cancel_and_wait(task: asyncio.Task[None]) -> None:
    """Cancel the task, again and again, until it has ended.

    redis-py swallows a cancellation that comes while it connects.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_SECONDS)
