"""Each service starts without what its first requests do not need."""

import subprocess
import sys

import pytest
from webauthn.helpers.structs import AuthenticatorTransport

from auth_service.passkey.credential_json import TRANSPORTS

LATER = {"webauthn", "OpenSSL", "twilio", "aiosmtplib", "aiobotocore", "PIL", "apispec", "segno"}
START = """
import gc, runpy, sys
import {service}.cli as cli
cli.main = lambda: print(gc.isenabled(), gc.get_freeze_count() > 0, *sys.modules)
runpy.run_module("{service}", run_name="__main__")
"""


@pytest.mark.parametrize("service", ["auth_service", "media_service"])
def test_main_module_freezes_what_it_loaded_and_leaves_heavy_libraries_out(service: str) -> None:
    command = [sys.executable, "-c", START.format(service=service)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    enabled, frozen, *modules = done.stdout.split()
    assert (enabled, frozen) == ("True", "True"), done.stderr
    assert f"{service}.wiring" in modules
    assert LATER.isdisjoint(modules)


def test_transports_of_passkeys_are_those_that_the_library_knows() -> None:
    assert {one.value for one in AuthenticatorTransport} == TRANSPORTS
