"""The containers' health checks, as their images have them: what is wrong is printed."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from shared.health import READINESS
from shared.server import listening
from shared.settings import ServiceSettings
from tests.support.ports import own_port
from tests.support.small_service import small_app

ROOT = Path(__file__).parents[2]
SERVICES = ["auth_service", "media_service"]


def read_command(image: str) -> list[str]:
    text = (ROOT / "deploy" / f"{image}.Dockerfile").read_text()
    [found] = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", text)
    command: list[str] = json.loads(found)
    return command


async def check(image: str, port: int) -> tuple[int | None, str]:
    """Run the image's health check here; its exit code, and what `docker inspect` would show."""
    places = {"python": sys.executable, "/app/shared/health_check.py": "shared/health_check.py"}
    command = [places.get(word, word) for word in read_command(image)]
    command = [word.replace("/127.0.0.1/8081", f"/127.0.0.1/{port}") for word in command]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize("image", SERVICES)
async def test_health_check_of_a_service_prints_what_readyz_says(
    image: str, small_settings: Callable[..., ServiceSettings]
) -> None:
    app, holds = small_app(small_settings()), True

    async def is_well() -> bool:
        return holds

    app[READINESS].add("database", is_well, lambda: "no such password")
    async with listening(app, "127.0.0.1", 0) as address:
        port = int(address.rpartition(":")[2])
        code, output = await check(image, port)
        assert (code, json.loads(output)["status"]) == (0, "ready")
        holds = False
        code, output = await check(image, port)
        assert code == 1
        assert json.loads(output) == {
            "status": "not ready",
            "checks": {"database": False, "serving": True},
            "reasons": {"database": "no such password"},
        }


@pytest.mark.parametrize("image", [*SERVICES, "gateway"])
async def test_health_check_without_a_server_says_so(image: str) -> None:
    code, output = await check(image, own_port())
    assert code == 1
    assert "refused" in output


@pytest.mark.parametrize(("status", "code"), [(204, 0), (503, 1)])
async def test_health_check_of_the_gateway_prints_its_status(status: int, code: int) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    places: list[Any] = runner.addresses
    found, output = await check("gateway", places[0][1])
    assert found == code
    assert f" {status} " in output
    await runner.cleanup()
