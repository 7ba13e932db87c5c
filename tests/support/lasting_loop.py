"""An event loop for what outlives a test; a test's own loop ends with the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run a loop in a thread of its own; both end with the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
