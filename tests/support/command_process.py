"""Runs a service's command line in its own process, forked from one that has imported it."""

import asyncio
import importlib
import inspect
import json
import multiprocessing
import os
import pkgutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class KillPoint:
    """Where the process kills itself with SIGKILL: on entering a function, or on leaving it."""

    function: str
    leaving: bool = False

    def arm(self) -> None:
        owner, name = self.function.rsplit(".", 1)
        holder = pkgutil.resolve_name(owner)
        whole = getattr(holder, name)

        def die(*arguments: Any, **options: Any) -> Any:
            if not self.leaving:
                os.kill(os.getpid(), signal.SIGKILL)
            returned = whole(*arguments, **options)
            return die_later(returned) if inspect.isawaitable(returned) else die_now()

        async def die_later(returned: Awaitable[Any]) -> None:
            await returned
            die_now()

        def die_now() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(holder, name, die)


def _run(
    module: str,
    arguments: list[str],
    environment: dict[str, str],
    output: str,
    death: KillPoint | None,
) -> None:
    """The child: `python -m module arguments` with its output in a file."""
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    command = importlib.import_module(f"{module}.cli")
    if death is not None:
        death.arm()
    sys.exit(command.main(arguments))


@asynccontextmanager
async def run_command(
    module: str,
    *arguments: str,
    environment: dict[str, str],
    output: Path,
    death: KillPoint | None = None,
) -> AsyncIterator[BaseProcess]:
    """Run the command inside the block; SIGTERM ends it."""
    await asyncio.to_thread(output.unlink, missing_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{module}.cli"])
    process = context.Process(
        target=_run, args=(module, list(arguments), environment, str(output), death)
    )
    await asyncio.to_thread(process.start)
    try:
        yield process
    finally:
        process.terminate()
        await asyncio.to_thread(process.join)


async def wait_for_exit(process: BaseProcess) -> int | None:
    """Wait for the end; return the exit code, negative for a signal."""
    await asyncio.to_thread(process.join)
    return process.exitcode


async def wait_for_address(output: Path) -> str:
    """Return where the service listens, once its log says so."""
    while True:
        for line in await asyncio.to_thread(_complete_lines, output):
            if '"service.started"' in line:
                return str(json.loads(line)["address"])
        await asyncio.sleep(0.01)


def _complete_lines(output: Path) -> list[str]:
    text = output.read_text() if output.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()
