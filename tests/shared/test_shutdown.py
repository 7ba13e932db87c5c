"""The end of a service, as a real process: announced, then finished, and never a request lost."""

import asyncio
import gc
import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, UnixConnector

from shared.server import ignore_failed_lookups
from tests.conftest import REVOCATION_KEY
from tests.support.waiting import until

CHECKOUT = Path(__file__).parents[2]
BODY = b'{"name": "a mug", "count": 3}'
HALF, DRAIN = len(BODY) // 2, 3  # seconds, enough for a few requests on a busy machine
UPLOAD = (
    b"POST /v1/small/things HTTP/1.1\r\nHost: small\r\nContent-Type: application/json\r\n"
    b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)
Start = Callable[..., AbstractAsyncContextManager["Service"]]


@dataclass
class Service:
    """The small service as a process of its own."""

    process: asyncio.subprocess.Process
    http: ClientSession
    path: Path

    async def ready(self) -> bool:
        """What a probe with a time-out of one second would say."""
        try:
            async with self.http.get("/readyz", timeout=ClientTimeout(total=1)) as answer:
                return answer.status == 200
        except (ClientConnectionError, TimeoutError):
            return False

    async def not_ready(self) -> bool:
        return not await self.ready()

    async def slow(self, seconds: float) -> int:
        async with self.http.get("/v1/small/slow", params={"seconds": seconds}) as answer:
            return answer.status

    async def begin_slow(self, seconds: float) -> asyncio.Task[int]:
        """Returns once the request is being handled."""
        task = asyncio.create_task(self.slow(seconds))

        async def handled() -> bool:
            async with self.http.get("/v1/small/busy") as answer:
                return bool((await answer.json())["text"] == "1")

        await until(handled)
        return task

    @asynccontextmanager
    async def upload(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection on which a request is being handled whose body is half here."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        try:
            writer.write(UPLOAD)
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY[:HALF])
            yield reader, writer
        finally:
            writer.close()

    async def log(self) -> list[dict[str, Any]]:
        """What it logged, once it has ended."""
        assert self.process.stdout is not None
        return [json.loads(line) for line in (await self.process.stdout.read()).splitlines()]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def run(**settings: object) -> AsyncIterator[Service]:
        path = tmp_path / "socket"
        told = {name.upper(): str(value) for name, value in settings.items()}
        environment = {
            **os.environ,
            "ENV": "development",
            "HOST": f"unix:{path}",
            "REDIS_URL": "redis://127.0.0.1:1",
            "REVOCATION_KEY": REVOCATION_KEY,
            **told,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.small_service",
            env=environment, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        connector = UnixConnector(str(path), force_close=True)
        try:
            async with ClientSession("http://small", connector=connector) as http:
                service = Service(process, http, path)
                await until(service.ready, seconds=20)
                yield service
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return run


async def exit_code(service: Service, seconds: float = 15) -> int:  # a wait too long is one of 20
    async with asyncio.timeout(seconds):
        return await service.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_shutdown_signal_turns_readiness_off_and_serves_on(
    start: Start, number: signal.Signals
) -> None:
    async with start(drain_seconds=DRAIN) as service:
        began = time.monotonic()
        service.process.send_signal(number)
        await until(service.not_ready)
        async with service.http.get("/healthz") as alive:
            assert alive.status == 200
        async with service.http.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["checks"] == {"serving": False}
        assert await service.slow(0) == 200
        assert await exit_code(service) == 0
        assert time.monotonic() - began >= DRAIN
        events = [event["event"] for event in await service.log()]
    assert events[0] == "service.started"
    assert "service.draining" in events
    assert events[-1] == "service.stopped"


async def test_shutdown_request_in_progress_is_answered(start: Start) -> None:
    async with start(drain_seconds=0, shutdown_grace=5) as service:
        in_hand = await service.begin_slow(1)
        service.process.send_signal(signal.SIGTERM)
        await until(service.not_ready)
        with pytest.raises(ClientConnectionError):
            await service.slow(0)
        assert await in_hand == 200
        assert await exit_code(service) == 0


async def test_shutdown_body_still_arriving_is_read_and_answered(start: Start) -> None:
    async with start(drain_seconds=0, shutdown_grace=20) as service:
        async with service.upload() as (reader, writer):
            service.process.send_signal(signal.SIGTERM)
            await until(service.not_ready)
            for place in range(HALF, len(BODY) - 1):
                await asyncio.sleep(0.02)
                writer.write(BODY[place : place + 1])
            # One write: the connection is closed as soon as the whole body is answered.
            writer.write(BODY[-1:] + b"GET /healthz HTTP/1.1\r\nHost: small\r\n\r\n")
            answers = await reader.read()
        assert answers.startswith(b"HTTP/1.1 201 ")
        assert b"\r\nConnection: close\r\n" in answers
        assert answers.count(b"HTTP/1.1 ") == 1  # the next request is for another replica
        assert await exit_code(service) == 0


async def test_shutdown_request_whose_header_is_half_here_is_answered(start: Start) -> None:
    async with start(drain_seconds=0, shutdown_grace=20) as service:
        reader, writer = await asyncio.open_unix_connection(str(service.path))
        try:
            writer.write(b"GET /v1/small/busy HTTP/1.1\r\n")
            assert await service.ready()  # the service has read what came before
            service.process.send_signal(signal.SIGTERM)
            await until(service.not_ready)
            writer.write(b"Host: small\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        finally:
            writer.close()
        assert await exit_code(service) == 0


async def test_shutdown_request_beyond_its_grace_is_unavailable(start: Start) -> None:
    async with start(drain_seconds=0, shutdown_grace=0.5) as service:
        in_hand = await service.begin_slow(20)
        async with service.upload() as (reader, _):
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: 1\r\n" in head
            assert json.loads(body)["code"] == "service_unavailable"
        assert await in_hand == 503
        assert await exit_code(service) == 0
        assert time.monotonic() - began > 0.4


async def test_shutdown_with_idle_connections_ends_at_once(start: Start) -> None:
    async with start(drain_seconds=0, shutdown_grace=20) as service:
        silent, writer = await asyncio.open_unix_connection(str(service.path))
        idle, other = await asyncio.open_unix_connection(str(service.path))
        try:
            other.write(b"GET /healthz HTTP/1.1\r\nHost: small\r\n\r\n")
            assert (await idle.readline()).startswith(b"HTTP/1.1 200 ")
            service.process.send_signal(signal.SIGTERM)
            assert await exit_code(service, seconds=5) == 0
            assert await silent.read() == b""
        finally:
            writer.close()
            other.close()


async def test_shutdown_with_a_running_lookup_ends_at_once(start: Start) -> None:
    async with start(drain_seconds=0) as service:
        await service.http.get("/v1/small/lookup")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.stdout is not None
        async with asyncio.timeout(10):
            while b'"service.stopped"' not in await service.process.stdout.readline():
                pass
        assert await exit_code(service, seconds=2) == 0


async def test_exit_after_running_thread_ends_the_process_anyway() -> None:
    program = (
        "import asyncio, time; from shared.server import exit_after\n"
        "async def work(): asyncio.get_running_loop().run_in_executor(None, time.sleep, 30)\n"
        "asyncio.run(exit_after(work()))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=CHECKOUT)
    try:
        async with asyncio.timeout(15):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("phase", ["draining", "finishing"])
async def test_shutdown_second_signal_ends_at_once(start: Start, phase: str) -> None:
    drain = 20 if phase == "draining" else 0
    async with start(drain_seconds=drain, shutdown_grace=20) as service:
        in_hand = await service.begin_slow(20)
        service.process.send_signal(signal.SIGTERM)
        await until(service.not_ready)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert await exit_code(service) == 1
        assert time.monotonic() - began < 5  # both waits are 20
        with pytest.raises(ClientConnectionError):
            await in_hand


async def test_unix_socket_is_private_and_replaces_a_stale_one(
    start: Start, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "socket"))
    (tmp_path / "socket").chmod(0o666)
    async with start() as service:
        mode = service.path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


async def test_start_with_invalid_settings_prints_lines_without_traceback() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.small_service",
        env={**os.environ, "ENV": "development", "PORT": "eighty", "REVOCATION_KEY": "short"},
        cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 1
    assert {line.split(": ")[1] for line in said.decode().splitlines()} == {
        "PORT",
        "REDIS_URL",
        "REVOCATION_KEY",
    }


@pytest.mark.parametrize(
    ("error", "told"), [(socket.gaierror(-2, "not known"), 0), (LookupError("a bug"), 1)]
)
async def test_failed_lookup_without_a_waiter_is_not_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, told: int
) -> None:
    gc.collect()  # what earlier tests left behind is logged now
    caplog.clear()
    asyncio.get_running_loop().set_exception_handler(ignore_failed_lookups)
    given_up = asyncio.Future[None]()
    given_up.set_exception(error)
    del given_up
    gc.collect()
    assert len(caplog.records) == told
