"""The services as child processes: started, watched, ended."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from deploy.local.process import dies_with_parent

CHECKOUT = Path(__file__).parents[2]
END_SECONDS = 70.0  # a service's own SHUTDOWN_GRACE and a little


class ServiceEndedError(RuntimeError):
    """A service ended although nobody told it to."""


class Children:
    """Services that end with us, however we end; a context manager for the block they live in."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.served = False
        """Whether the services were ready once, and so may have something in hand."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(self._end(process) for process in self._running.values()))

    async def start(self, module: str, environment: dict[str, str]) -> None:
        """Start `python -m <module> serve`, apart from our terminal: Ctrl-C is for us alone."""
        self._running[module] = await _spawn(["-m", module, "serve"], environment)

    async def watch(self) -> None:
        """Wait until one ends, which none should.

        Raises:
            ServiceEndedError: always, in the end.
        """
        waits = {
            asyncio.ensure_future(process.wait()): name for name, process in self._running.items()
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        first = done.pop()
        code = first.result()
        why = (
            f"was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"ended with code {code}; its last lines say why"
        )
        raise ServiceEndedError(f"{waits[first]} {why}")

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None and self.served:
            process.terminate()
        elif process.returncode is None:
            process.kill()  # its last words would hide the other one's, which say why
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def finish(arguments: list[str], environment: dict[str, str]) -> int:
    """Run Python with these arguments to its end and return its exit code."""
    process = await _spawn(arguments, environment)
    return await process.wait()


async def _spawn(arguments: list[str], environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )
