"""What the embedded servers have in common: one owner, any number of users, no leftovers."""

import fcntl
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar, Self

from deploy.local.process import free_port, spawn_server
from deploy.local.server_paths import data_folder

START_SECONDS = 60.0
STOP_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.01


class ServerError(RuntimeError):
    """An embedded server did not start; the message ends with what it said."""


class Server(ABC):
    """A server on loopback whose data survives it.

    The first process that starts it on a directory owns it: the server ends with that process,
    however it ends. Others that start it on the same directory meanwhile use the same server, and
    their `stop` leaves it alone. Start it from the main thread.
    """

    title: ClassVar[str]
    end: ClassVar[signal.Signals]
    transient: ClassVar[tuple[str, ...]] = ()  # what it says when another try may succeed

    def __init__(self, data: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.data = data.resolve()
        self.folder = self.data
        self.external: str | None = None
        self.durable = durable
        self._asked_port = port
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._claim: IO[str] | None = None

    @property
    def port(self) -> int:
        """Return the port it listens on.

        Raises:
            ServerError: it was not started.
        """
        if self._port is None:
            message = f"{self.title} on {self.data} was not started"
            raise ServerError(message)
        return self._port

    @property
    def pid(self) -> int | None:
        """Return the process id of a server that this object started and that still runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def start(self) -> Self:
        """Return when the server answers; idempotent, also across processes.

        Raises:
            ServerError: it ended, or did not answer within a minute.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if self.pid is not None:
                return self
            self.folder = data_folder(self.data)
            if self._claimed():
                self._prepare()
                self._launch()
            else:
                self._join()
        return self

    def stop(self) -> None:
        """Return when the server has written its data and ended, if this object started it."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(self.end)
            _reap(self._process)
        self._process = None
        self._port = None
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def discard(self) -> bool:
        """Stop the server and delete its data; False when it belongs to another process."""
        with self._alone():
            mine = self._claimed()
            self.stop()
            if mine:
                shutil.rmtree(data_folder(self.data))
                for kind in ("log", "password"):
                    self._beside(kind).unlink(missing_ok=True)
        return mine

    @abstractmethod
    def _command(self, port: int) -> list[str | Path]:
        """Return the command line that serves `port` in the foreground."""

    @abstractmethod
    def _ready(self, port: int) -> bool:
        """Tell whether the server on `port` takes work."""

    def _stdin(self, port: int) -> bytes:  # noqa: ARG002 -- for those that read a configuration
        return b""

    def _prepare(self) -> None:  # noqa: B027 -- nothing to do for a server without a first time
        """Make the data directory fit for a first start; called by the owner alone."""

    def _beside(self, kind: str) -> Path:
        """Return a file of ours next to the data: in it the server's own user may plant links."""
        return self.data.with_name(f"{self.data.name}.{kind}")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._beside("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _claimed(self) -> bool:
        """Tell whether this process owns the server: the kernel drops the claim when it dies."""
        if self._claim is not None:
            return True
        claim = self._beside("owner").open("a+")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            return False
        self._claim = claim
        return True

    def _join(self) -> None:
        port = int(self._beside("owner").read_text() or 0)
        if not self._answers(port, None, time.monotonic() + STOP_SECONDS):
            message = f"{self.title} on {self.data} belongs to another process and does not answer"
            raise ServerError(message)
        self._port = port

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        log_path = self._beside("log")
        while True:
            port = self._asked_port or free_port()
            with log_path.open("ab") as log:
                said_before = log.tell()
                process = spawn_server(
                    self._command(port), log, end=self.end, stdin=self._stdin(port)
                )
            if self._answers(port, process, deadline):
                self._process, self._port = process, port
                self._publish(port)
                return
            _reap(process, kill=True)
            said = log_path.read_bytes()[said_before:].decode(errors="replace")
            if time.monotonic() > deadline or not self._worth_another_try(said):
                self.stop()
                message = f"{self.title} did not start ({log_path}):\n{said[-2000:].strip()}"
                raise ServerError(message)
            time.sleep(LOOK_AGAIN_SECONDS * 5)

    def _answers(self, port: int, process: subprocess.Popen[bytes] | None, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                return False
            if self._ready(port):
                return True
            time.sleep(LOOK_AGAIN_SECONDS)
        return False

    def _publish(self, port: int) -> None:
        if self._claim is not None:
            self._claim.truncate(0)
            self._claim.write(f"{port}\n")
            self._claim.flush()

    def _worth_another_try(self, said: str) -> bool:
        taken = "Address already in use" in said and self._asked_port is None
        return taken or any(words in said for words in self.transient)


def _reap(process: subprocess.Popen[bytes], *, kill: bool = False) -> None:
    if kill and process.poll() is None:
        process.kill()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
