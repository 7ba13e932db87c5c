"""The base class of the embedded servers: one process owns a server, others may share it."""

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
from deploy.local.server_paths import ensure_data_dir

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.01


class ServerError(RuntimeError):
    """An embedded server did not start; the message ends with its last log lines."""


class EmbeddedServer(ABC):
    """A server on loopback whose data outlives the process.

    The first process that starts it on a directory owns it: the server ends with that process, even
    if that process is killed. Other processes that start it on the same directory share the server,
    and their `stop` leaves it running. Start it from the main thread.
    """

    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    retryable_errors: ClassVar[tuple[str, ...]] = ()  # log lines that justify another start

    def __init__(self, data: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.requested_dir = data.resolve()
        self.data_dir = self.requested_dir
        self.external_url: str | None = None
        self.durable = durable
        self._requested_port = port
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_lock: IO[str] | None = None

    @property
    def port(self) -> int:
        """Return the port that the server listens on.

        Raises:
            ServerError: the server was not started.
        """
        if self._port is None:
            raise ServerError(f"{self.title} on {self.requested_dir} was not started")
        return self._port

    @property
    def child_pid(self) -> int | None:
        """Return the process id while a server that this object started is running, else None."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def start(self) -> Self:
        """Return when the server answers; idempotent, also across processes.

        Raises:
            ServerError: the server ended, or did not answer within a minute.
        """
        if self.external_url:
            return self
        self.requested_dir.parent.mkdir(parents=True, exist_ok=True)
        with self._hold_start_lock():
            if self.child_pid is not None:
                return self
            self.data_dir = ensure_data_dir(self.requested_dir)
            if self._try_own():
                self._initialize()
                self._start_process()
            else:
                self._use_running()
        return self

    def stop(self) -> None:
        """Stop the server if this object started it, and wait until its data is written."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(self.stop_signal)
            _wait_for_exit(self._process)
        self._process = None
        self._port = None
        if self._owner_lock is not None:
            self._owner_lock.close()
            self._owner_lock = None

    def delete_data(self) -> bool:
        """Stop the server and delete its data; return False when another process owns it."""
        with self._hold_start_lock():
            is_owner = self._try_own()
            self.stop()
            if is_owner:
                shutil.rmtree(ensure_data_dir(self.requested_dir))
                self._sibling_file("log").unlink(missing_ok=True)
        return is_owner

    @abstractmethod
    def _command_line(self, port: int) -> list[str | Path]:
        """Return the command line of a server that listens on `port` in the foreground."""

    @abstractmethod
    def _is_ready(self, port: int) -> bool:
        """Return whether the server on `port` accepts commands."""

    def _stdin_config(self, port: int) -> bytes:  # noqa: ARG002 -- Valkey needs it
        return b""

    def _initialize(self) -> None:  # noqa: B027 -- Valkey needs less
        """Prepare the data directory for a first start; only the owner calls this."""

    def _sibling_file(self, kind: str) -> Path:
        """Return a file beside the data directory, where the server's user cannot plant links."""
        return self.requested_dir.with_name(f"{self.requested_dir.name}.{kind}")

    @contextmanager
    def _hold_start_lock(self) -> Iterator[None]:
        with self._sibling_file("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _try_own(self) -> bool:
        """Try to become the owner; the kernel drops the lock when this process dies."""
        if self._owner_lock is not None:
            return True
        lock_file = self._sibling_file("owner").open("a+")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock_file.close()
            return False
        self._owner_lock = lock_file
        return True

    def _use_running(self) -> None:
        port = int(self._sibling_file("owner").read_text() or 0)
        if not self._becomes_ready(port, None, time.monotonic() + STOP_SECONDS):
            raise ServerError(
                f"{self.title} on {self.requested_dir} belongs to another process"
                " and does not answer"
            )
        self._port = port

    def _start_process(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        log_path = self._sibling_file("log")
        while True:
            port = self._requested_port or free_port()
            with log_path.open("ab") as log:
                log_offset = log.tell()
                process = spawn_server(
                    self._command_line(port),
                    log,
                    stop_signal=self.stop_signal,
                    stdin=self._stdin_config(port),
                )
            if self._becomes_ready(port, process, deadline):
                self._process, self._port = process, port
                if self._owner_lock is not None:
                    self._owner_lock.truncate(0)
                    self._owner_lock.write(f"{port}\n")
                    self._owner_lock.flush()
                return
            _wait_for_exit(process, kill_first=True)
            output = log_path.read_bytes()[log_offset:].decode(errors="replace")
            if time.monotonic() > deadline or not self._is_retryable(output):
                self.stop()
                raise ServerError(
                    f"{self.title} did not start ({log_path}):\n{output[-2000:].strip()}"
                )
            time.sleep(POLL_SECONDS * 5)

    def _becomes_ready(
        self, port: int, process: subprocess.Popen[bytes] | None, deadline: float
    ) -> bool:
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                return False
            if self._is_ready(port):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _is_retryable(self, output: str) -> bool:
        port_taken = "Address already in use" in output and self._requested_port is None
        return port_taken or any(line in output for line in self.retryable_errors)


def _wait_for_exit(process: subprocess.Popen[bytes], *, kill_first: bool = False) -> None:
    if kill_first and process.poll() is None:
        process.kill()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
