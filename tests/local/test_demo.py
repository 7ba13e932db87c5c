"""`make demo` without a running stack."""

import pytest

from deploy.local.demo import run_demo
from tests.support.ports import own_port


async def test_demo_without_stack_prints_the_command_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BASE_URL", raising=False)
    port = own_port()
    assert await run_demo(f"http://127.0.0.1:{port}") == 1
    assert capsys.readouterr().err.endswith(f": start it with `make run PORT={port}`\n")
