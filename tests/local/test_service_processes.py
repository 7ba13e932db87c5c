"""What the other services may still do when one service process ends."""

import os
from pathlib import Path

import pytest

from deploy.local.service_processes import ServiceEndedError, ServiceProcesses

SERVES = """
import pathlib, signal, sys
here = pathlib.Path(__file__).parent
def drain(*_):
    (here / "drained").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
(here / "up").touch()
while True:
    signal.pause()
"""
FAILS = """
import pathlib, sys, time
while not (pathlib.Path(__file__).parent / "up").exists():
    time.sleep(0.01)
sys.exit(1)
"""


@pytest.mark.parametrize("served", [True, False])
async def test_stop_only_ready_services_get_time_to_drain(tmp_path: Path, *, served: bool) -> None:
    """A service that never was ready must not log over the reason that the failed one printed."""
    (tmp_path / "a_serving.py").write_text(SERVES)
    (tmp_path / "a_failing.py").write_text(FAILS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    async with ServiceProcesses() as services:
        await services.start("a_serving", environment)
        await services.start("a_failing", environment)
        services.were_ready = served
        with pytest.raises(ServiceEndedError, match="a_failing ended with code 1"):
            await services.watch()
    assert (tmp_path / "drained").exists() is served
