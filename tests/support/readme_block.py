"""README's block of curl lines, pasted whole into a shell."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.support.pictures import encode

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://localhost:8000"


def paste_readme_block(address: str, folder: Path) -> list[Any]:
    """Run the block in a folder with a picture; return the answers that it prints."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    [block] = [block for block in blocks if "$api/auth/signup" in block]
    assert f"api={ADDRESS}/v1 " in block
    (folder / "photo.jpg").write_bytes(encode())
    done = subprocess.run(
        ["bash", "-euc", block.replace(ADDRESS, address)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    printed, answers, decoder = done.stdout.strip(), [], json.JSONDecoder()
    while printed:
        answer, end = decoder.raw_decode(printed)
        answers.append(answer)
        printed = printed[end:].lstrip()
    return answers


def assert_readme_answers(answers: list[Any]) -> None:
    """Assert that the block's printed answers are those of the whole job."""
    sent, uploaded, scheduled, product, refused = answers
    assert sent["channel"] == "sms"
    [today] = scheduled["scheduled_creatives"]["today"]
    assert today["id"] == uploaded["id"]
    assert product["price"] == 49_900
    assert refused["code"] == "token_revoked"
