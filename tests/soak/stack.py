"""The stack as `make run` starts it, with data of its own under a temporary folder."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.local.processes import CHECKOUT, without_coverage
from tests.support.ports import own_port

READY_SECONDS = 90
END_SECONDS = 90
LOOK_AGAIN_SECONDS = 0.05
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "AUTH_DATABASE_URL", "MEDIA_DATABASE_URL", "STORAGE_URL")


class SoakError(RuntimeError):
    """The run cannot go on, so it has no result."""


@dataclass
class RunningStack:
    """A launcher with everything below it, and where it logs."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    log: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def server_logs(self) -> tuple[Path, Path]:
        return self.data / "postgres.log", self.data / "valkey.log"

    def check(self) -> None:
        """Raise SoakError when the launcher has ended."""
        if self.process.poll() is not None:
            raise SoakError(f"the stack ended: {self.log.read_text()[-2000:]}")

    def grant_admin(self, mobile: str) -> None:
        """Make the user an administrator, as `README.md` says."""
        within = ["-m", "deploy.local.exec", "--data", str(self.data), "python"]
        grant = ["-m", "auth_service", "admin", "grant", mobile, "admin"]
        _run(within + grant)

    def stop(self) -> int:
        """End the stack as Ctrl-C does and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise SoakError(f"the stack did not end within {END_SECONDS} s") from None


@contextmanager
def running_stack(settings: dict[str, str]) -> Iterator[RunningStack]:
    """Run a stack inside the block and delete its data after it.

    Raises:
        SoakError: it does not get ready.
    """
    folder = Path(tempfile.mkdtemp(prefix="cs-soak-"))
    folder.chmod(0o711)  # PostgreSQL's own user has to pass through
    stack = _launch(folder, settings)
    try:
        _await_ready(stack)
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.terminate()
            stack.process.wait(END_SECONDS)
        _run(["-m", "deploy.local", "--data", str(stack.data), "--clean-data"])
        shutil.rmtree(folder, ignore_errors=True)


def _launch(folder: Path, settings: dict[str, str]) -> RunningStack:
    port, data, log = own_port(), folder / "var", folder / "stack.log"
    inherited = {name: value for name, value in without_coverage().items() if name not in NOT_OURS}
    command = ["-m", "deploy.local", "--port", str(port), "--data", str(data), "--end-with-parent"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=inherited | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the soak, which ends the stack in order
        )
    return RunningStack(process, port, data, log)


def _await_ready(stack: RunningStack) -> None:
    line = f"ready {stack.address}\n"
    began = time.monotonic()
    while line not in stack.log.read_text():
        stack.check()
        if time.monotonic() > began + READY_SECONDS:
            raise SoakError(f"the stack is not ready after {READY_SECONDS} s")
        time.sleep(LOOK_AGAIN_SECONDS)
    print(f"ready at {stack.address} after {time.monotonic() - began:.1f} s", flush=True)


def _run(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env={name: value for name, value in without_coverage().items() if name not in NOT_OURS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SoakError(f"{arguments} ended with {done.returncode}: {done.stderr}")
