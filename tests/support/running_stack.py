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
def running_stack() -> Iterator[str]:
    """Yield BASE_URL, or the address of a stack of our own that is gone afterwards."""
    if given := os.environ.get("BASE_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        port, data, log = own_port(), Path(folder) / "var", Path(folder) / "log"
        command = [sys.executable, "-m", "deploy.local", "--port", f"{port}", "--data", f"{data}"]
        with log.open("wb") as said:
            stack = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=without_coverage() | {"OTP_COOLDOWN": "0"},
                stdout=said,
                stderr=said,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            until(
                lambda: f"ready {url}" in log.read_text() or stack.poll() is not None, READY_SECONDS
            )
            assert stack.poll() is None, log.read_text()
            yield url
        finally:
            stack.terminate()
            stack.wait(60)
            EmbeddedServers(DataDir(data)).delete_data()
