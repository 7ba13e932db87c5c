"""The two services as child processes: start, watch and stop them."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from deploy.local.process import parent_death_hook

CHECKOUT = Path(__file__).parents[2]
STOP_SECONDS = 70.0  # more than a service's own SHUTDOWN_GRACE


class ServiceEndedError(RuntimeError):
    """A service process ended although the stack did not stop it."""


class ServiceProcesses:
    """Service processes that end with this process; a context manager stops them."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.were_ready = False
        """Whether the services were ready once, so that they may have requests to finish."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(self._stop(process) for process in self._running.values()))

    async def start(self, module: str, environment: dict[str, str]) -> None:
        """Start `python -m <module> serve`."""
        self._running[module] = await spawn_python(["-m", module, "serve"], environment)

    async def watch(self) -> None:
        """Wait until one service ends.

        Raises:
            ServiceEndedError: a service has ended; the call never returns without it.
        """
        await asyncio.gather(*(_raise_when_ended(*one) for one in self._running.items()))

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None and self.were_ready:
            process.terminate()
        elif process.returncode is None:
            process.kill()  # its last log lines would hide the reason that the other one printed
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _raise_when_ended(name: str, process: asyncio.subprocess.Process) -> None:
    code = await process.wait()
    if code < 0:
        raise ServiceEndedError(f"{name} was killed by {signal.Signals(-code).name}")
    raise ServiceEndedError(f"{name} ended with code {code}; its last lines say why")


async def spawn_python(
    arguments: list[str], environment: dict[str, str]
) -> asyncio.subprocess.Process:
    """Start Python in a session of its own, so that Ctrl-C skips it; it ends with this process."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=parent_death_hook(signal.SIGTERM),
    )
