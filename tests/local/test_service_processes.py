"""The services as child processes: what they may still do when one of them ends."""

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
async def test_only_services_that_were_ready_are_given_time_to_end(
    tmp_path: Path, *, served: bool
) -> None:
    """One that ends because of another's bad setting must not bury the line that says so."""
    (tmp_path / "a_serving.py").write_text(SERVES)
    (tmp_path / "a_failing.py").write_text(FAILS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    async with ServiceProcesses() as children:
        await children.start("a_serving", environment)
        await children.start("a_failing", environment)
        children.were_ready = served
        with pytest.raises(ServiceEndedError, match="a_failing ended with code 1"):
            await children.watch()
    assert (tmp_path / "drained").exists() is served
