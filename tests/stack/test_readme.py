"""The lines of the README, through the gateway, as a stranger would paste them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.stack.stack import CHECKOUT, Stack
from tests.support.pictures import encode


def commands() -> list[str]:
    """What the README's block of curl lines has, a command each, without its remarks."""
    blocks = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    [block] = [block for block in blocks if "curl" in block]
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Terminal:
    """Runs commands one by one; what one assigns, those after it see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._assigned: list[str] = []

    def enter(self, command: str) -> Any:
        """Return the answer of a curl line, parsed; None when it is empty."""
        if not command.startswith("curl"):
            self._assigned.append(command)
            return None
        whole = "\n".join([*self._assigned, command])
        said = subprocess.run(
            ["bash", "-euc", whole], cwd=self._folder, capture_output=True, check=True
        )
        return json.loads(said.stdout) if said.stdout else None


def test_the_curl_lines_work_as_printed(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encode())
    terminal = Terminal(tmp_path)
    api, json_header, ask, inbox, enter, token, *rest = commands()
    assert api.startswith("api=http://127.0.0.1:8000/")
    terminal.enter(api.replace("http://127.0.0.1:8000", stack.address))
    terminal.enter(json_header)
    assert terminal.enter(ask)["channel"] == "sms"
    stack.until(lambda: bool(terminal.enter(inbox)["items"]), "no code came", 10)
    code = terminal.enter(inbox)["items"][0]["text"][:6]
    assert "THE CODE" in enter
    pair = terminal.enter(enter.replace("THE CODE", code))
    terminal.enter(token.replace("THE ACCESS TOKEN", pair["access_token"]))
    upload, scheduled, offer, sign_out, refused = rest
    kept = terminal.enter(upload)
    [today] = terminal.enter(scheduled)["scheduled_creatives"]["today"]
    assert today["id"] == kept["id"]
    assert terminal.enter(offer)["price"] == 49_900
    assert terminal.enter(sign_out) is None
    assert refused == scheduled
    assert terminal.enter(refused)["code"] == "token_revoked"
