"""The end of a TCP listener under load: an accepted client is answered, any other can tell."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.conftest import REVOCATION_KEY
from tests.support.ports import own_port

CHECKOUT = Path(__file__).parents[2]
BODY = b'{"name": "a"}'
REQUEST = (
    b"POST /v1/small/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
CLIENTS = 16


async def ask(port: int) -> str:
    """Send a request over a connection of its own: `answered`, `refused` or `lost`."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return "refused"
    try:
        writer.write(REQUEST)
        return "answered" if b" 201 " in await reader.read() else "lost"
    except OSError:
        return "lost"
    finally:
        writer.close()


async def ask_until_refused(port: int) -> list[str]:
    said = [await ask(port)]
    while said[-1] == "answered":
        said.append(await ask(port))
    return said


@pytest.mark.skipif(sys.platform != "linux", reason="it is the kernel that is asked")
async def test_shutdown_on_sigterm_loses_no_request() -> None:
    port = own_port()
    told = {
        "ENV": "development",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DRAIN_SECONDS": "0.1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "REVOCATION_KEY": REVOCATION_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.small_service",
        env={**os.environ, **told}, cwd=CHECKOUT, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while await ask(port) != "answered":
                await asyncio.sleep(0.02)
            async with asyncio.TaskGroup() as group:
                clients = [group.create_task(ask_until_refused(port)) for _ in range(CLIENTS)]
                await asyncio.sleep(0.2)
                process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    assert [client.result()[-1] for client in clients] == ["refused"] * CLIENTS
    assert sum(len(client.result()) for client in clients) > 2 * CLIENTS
