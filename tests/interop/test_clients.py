"""Real clients upload a photo, are refused in mid-upload, and go on with the same client.

Each is a small program in `clients`, in its own language. A client whose language or library is
not installed is skipped by its name. It gets `ADDRESS PICTURE DAY GOOD BAD`, the last two of them
access tokens, and prints the status of each step.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from tests.interop.slow_line import slow_line
from tests.support.auth_client import AuthClient
from tests.support.media_client import day
from tests.support.pictures import grain

CLIENTS = Path(__file__).parent / "clients"
SECONDS = 180
PHOTO_PIXELS = 1300  # 5 MB
PHONE = "+919876512399"
STEPS = ["upload 201", "refused 401", "again 201", "list 200", "idle 200"]
NODE, JAVA = ("node",), ("java",)
COMMANDS = {
    "curl.py": ("curl",),
    "node_fetch.mjs": NODE,
    "node_http.mjs": NODE,
    "go_net_http.go": ("go", "run"),
    "JdkHttpClient.java": JAVA,
    "JdkUrlConnection.java": JAVA,
    "python_aiohttp.py": ("python", "aiohttp"),
    "python_http_client.py": ("python", "http.client"),
    "python_httpx.py": ("python", "httpx"),
    "python_requests.py": ("python", "requests"),
}


def command_of(program: str) -> list[str]:
    """Return how the program is run; skip the test where that is not possible."""
    # The project needs none of these tools: a machine that lacks one tests the other clients.
    tool, *more = COMMANDS[program]
    if tool == "python":
        if find_spec(more[0]) is None:
            pytest.skip(f"{more[0]} is not installed")
        return [sys.executable]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    return [sys.executable] if tool == "curl" else [tool, *more]


@pytest.fixture
async def line(address: str) -> AsyncIterator[str]:
    async with slow_line(urlsplit(address).port or 80) as slow:
        yield slow


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    path.write_bytes(grain(PHOTO_PIXELS))
    return path


@pytest.fixture(scope="module")
def token(address: str) -> str:
    async def sign_in() -> str:
        async with ClientSession(address) as http:
            return str((await AuthClient(http).sign_in(PHONE))["access_token"])

    return asyncio.run(sign_in())


def test_every_client_program_is_run() -> None:
    assert {path.name for path in CLIENTS.iterdir() if path.is_file()} == set(COMMANDS)


@pytest.mark.parametrize("program", COMMANDS)
async def test_client_that_is_refused_in_mid_upload_goes_on(
    program: str, line: str, photo: Path, token: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *command_of(program),
        *(str(CLIENTS / program), line, str(photo), day(), token, token[:-4] + "AAAA"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        output = (await process.communicate())[0]
    assert output.decode().split("\n")[: len(STEPS)] == STEPS, output.decode()
