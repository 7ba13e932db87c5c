"""The whole stack as `make run` starts it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.data_dir import DataDir
from deploy.local.environment import EmbeddedServers
from tests.local.processes import CHECKOUT, until, without_coverage
from tests.support.ports import own_port

READY_SECONDS = 120


@contextmanager
def running_stack(port: int, public_url: str, **environment: str) -> Iterator[None]:
    """Run a stack of our own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        data, log = Path(folder) / "var", Path(folder) / "log"
        command = [sys.executable, "-m", "deploy.local", "--port", f"{port}", "--data", f"{data}"]
        with log.open("wb") as said:
            stack = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=without_coverage() | {"OTP_COOLDOWN": "0"} | environment,
                stdout=said,
                stderr=said,
            )
        try:
            until(
                lambda: f"ready {public_url}\n" in log.read_text() or stack.poll() is not None,
                READY_SECONDS,
            )
            assert stack.poll() is None, log.read_text()
            yield
        finally:
            stack.terminate()
            stack.wait(60)
            EmbeddedServers(DataDir(data)).delete_data()


@contextmanager
def stack_address() -> Iterator[str]:
    """Yield BASE_URL, or the address of a stack of our own."""
    if given := os.environ.get("BASE_URL"):
        yield given
        return
    port = own_port()
    url = f"http://localhost:{port}"
    with running_stack(port, url):
        yield url
