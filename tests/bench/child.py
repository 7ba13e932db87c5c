"""A server process under measurement: started, awaited, ended."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from deploy.local.process import parent_death_hook
from tests.bench.cpu import cpu_seconds, resident_mib

CHECKOUT = Path(__file__).parents[2]
READY_SECONDS = 30.0
END_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.01


class BenchError(RuntimeError):
    """The bench cannot go on, or what it measured was not right; no figure is worth having."""


class Child:
    """`python -m …` on a loopback port, its log in a file; a context manager."""

    def __init__(self, arguments: list[str], *, port: int, env: dict[str, str], log: Path) -> None:
        self._arguments = arguments
        self._env = env
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.ready_after = 0.0
        self.ready_cpu = 0.0

    def __enter__(self) -> Self:
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
                env=self._env,
                start_new_session=True,
                preexec_fn=parent_death_hook(signal.SIGTERM),  # noqa: PLW1509 - one prctl
            )
        while not self.ready():
            if time.perf_counter() > began + READY_SECONDS or self._process.poll() is not None:
                self.__exit__()
                raise BenchError(f"{self._arguments} is not ready:\n{self._tail()}")
            time.sleep(LOOK_AGAIN_SECONDS)
        self.ready_after, self.ready_cpu = time.perf_counter() - began, self.cpu()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process' id.

        Raises:
            BenchError: it is not running.
        """
        if self._process is None or self._process.poll() is not None:
            raise BenchError(f"{self._arguments} has ended:\n{self._tail()}")
        return self._process.pid

    def cpu(self) -> float:
        """CPU seconds used so far."""
        return cpu_seconds(self.pid)

    def memory(self) -> float:
        """Resident memory, MiB."""
        return resident_mib(self.pid)

    def ready(self) -> bool:
        """Return whether `/readyz` answers 200 now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]
