"""`python -m auth_service worker` and `deliveries dead`."""

import json
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict

from auth_service.delivery.dead_letters import DeadLetters
from shared.shutdown import stop_signal


async def run_until_stopped(worker: AbstractAsyncContextManager[None]) -> None:
    """Send deliveries until SIGTERM; another worker takes over the unfinished ones."""
    with stop_signal() as stop:
        async with worker:
            await stop.wait()


async def print_dead_letters(dead_letters: DeadLetters) -> int:
    """Print each dead letter as a line of JSON, with the reason of each provider."""
    for letter in await dead_letters.all():
        sys.stdout.write(json.dumps(asdict(letter)) + "\n")
    return 0
