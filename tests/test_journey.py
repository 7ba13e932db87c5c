"""The main job on the whole stack, and what its log gives away: nothing."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, FormData

from tests.support.auth_client import AuthClient, read
from tests.support.media_client import day
from tests.support.pictures import encode
from tests.support.ports import own_port
from tests.support.readme_block import assert_readme_answers, paste_readme_block

NUMBER = "+919876543210"
ROOT = Path(__file__).parent.parent


@dataclass
class Stack:
    """What `make run` starts, its log kept in a file."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> str:
        """Stop it as a person does; return all that it logged."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(20) == 0
        return self.log.read_text()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    port, log = own_port(), tmp_path / "log"
    command = [sys.executable, "-m", "deploy.local", "--port", str(port)]
    environment = {**os.environ, "LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--data", str(tmp_path / "var")],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://localhost:{port}"
    try:
        while f"ready {address}" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield Stack(address, process, log)
    finally:
        process.terminate()
        process.wait(20)


async def _upload(http: ClientSession, token: str, picture: bytes) -> dict[str, Any]:
    form = FormData()
    form.add_field("scheduled_at", day(1))
    form.add_field("file", picture, filename="photo.jpg", content_type="image/jpeg")
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post("/v1/media/creatives", data=form, headers=headers) as response:
        answer = await read(response)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_journey_log_holds_no_secret(stack: Stack) -> None:
    secrets: list[str] = [NUMBER, NUMBER[1:], NUMBER[3:], "Asha Rao"]
    async with ClientSession(stack.address) as http:
        auth = AuthClient(http)
        sent = await auth.request_code(NUMBER, "Asha Rao")
        code = await auth.code(NUMBER)
        wrong = await auth.enter_code(NUMBER, "000000" if code != "000000" else "000001")
        assert wrong.code == "otp_invalid"
        pair = (await auth.enter_code(NUMBER, code, sent.body["challenge"])).body
        body = {"refresh_token": pair["refresh_token"]}
        fresh = (await auth.call("POST", "/refresh", json=body)).body
        token = fresh["access_token"]
        await _upload(http, token, encode())
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get("/v1/media/scheduled?timezone=Asia/Kolkata", headers=headers) as due:
            assert due.status == 200
        await auth.call("GET", "/me", token=token)
        await auth.call("POST", "/logout", token=token)
        async with http.get("/v1/media/scheduled", headers=headers) as refused:
            assert (await read(refused)).code == "token_revoked"
        await auth.call("POST", "/signup", data=b'{"phone_number": "' + NUMBER.encode())
        secrets += [code, sent.body["challenge"]]
        for tokens in (pair, fresh):
            secrets += [tokens["access_token"], tokens["refresh_token"]]
            secrets += tokens["access_token"].split(".")[1:]
    log = stack.end()
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"service.started", "delivery.sent", "request.answered"} <= {e["event"] for e in events}
    # A code is six digits; a number that merely contains them is another one.
    given_away = [s for s in secrets if re.search(rf"(?<![\w.-]){re.escape(s)}(?![\w-])", log)]
    assert given_away == []
    assert not re.search(r"\+\d{7,}", log)


async def test_readme_block_pasted_whole_does_the_job(stack: Stack, tmp_path: Path) -> None:
    assert_readme_answers(await asyncio.to_thread(paste_readme_block, stack.address, tmp_path))
