"""What another process of the same user learns from a service that holds secrets."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = [
    (service, command)
    for service in ("auth_service", "media_service")
    for command in ("serve", "worker")
]
SERVED = """
import ctypes, importlib, sys, types
service, command, production = sys.argv[1:]
cli = importlib.import_module(service + ".cli")
def tell(*_):
    print("dumpable:", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
async def worker(*_):
    tell()
is_production = production == "yes"
settings = types.SimpleNamespace(production=is_production, log_level="info", log_format="json")
cli.load_settings, cli.create_app = (lambda _: settings), (lambda *_, **__: None)
cli.log_warnings = lambda *_: None
cli.run, cli.run_worker = tell, worker
cli.main([command])
"""
"""A service started by its command line, which tells of itself where it would begin to serve."""

OBSERVED = """
import os, sys
from pathlib import Path
from shared.prctl import PR_SET_DUMPABLE, deny_inspection, prctl
if os.geteuid() == 0:  # whose capabilities pass over the protection
    os.setgid(65534)
    os.setuid(65534)
prctl(PR_SET_DUMPABLE, 1)
if sys.argv[1] == "protected":
    deny_inspection()
print("own descriptors", len(os.listdir("/proc/self/fd")) > 0, flush=True)
victim = os.getpid()
child = os.fork()
if child == 0:
    for name in ("environ", "maps"):
        try:
            print(name, len(Path(f"/proc/{victim}/{name}").read_bytes()) > 0)
        except PermissionError:
            print(name, "refused")
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
"""
"""A process, and a child of the same user that looks into it."""


def run(program: str, *arguments: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ended.stdout.splitlines()


@pytest.mark.parametrize(("service", "command"), COMMANDS)
@pytest.mark.parametrize(("production", "dumpable"), [("yes", "0"), ("no", "1")])
def test_service_in_production_is_not_dumpable(
    production: str, dumpable: str, service: str, command: str
) -> None:
    assert f"dumpable: {dumpable}" in run(SERVED, service, command, production)


def test_process_denying_inspection_is_closed_to_its_own_user() -> None:
    own = "own descriptors True"
    assert run(OBSERVED, "open") == [own, "environ True", "maps True"]
    assert run(OBSERVED, "protected") == [own, "environ refused", "maps refused"]
