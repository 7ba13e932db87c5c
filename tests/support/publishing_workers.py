"""`python -m media_service worker`, several times beside each other."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.command_process import run_command

WORKERS = 3
OTHERS = """
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
and backend_type = 'client backend' and application_name <> 'cleaner'"""


@asynccontextmanager
async def run_workers(environment: dict[str, str], logs: Path) -> AsyncIterator[list[BaseProcess]]:
    """Run them inside the block, and yield the processes."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                run_command(
                    *("media_service", "worker"),
                    environment=environment,
                    output=logs / f"{number}.log",
                )
            )
            for number in range(WORKERS)
        ]
