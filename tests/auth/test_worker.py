"""Workers that are killed at any moment lose nothing and send nothing twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.delivery.model import STREAM
from tests.auth.conftest import provider_settings
from tests.conftest import ISSUER, REVOCATION_KEY, SECRET
from tests.support.command_process import run_command, wait_for_exit
from tests.support.long_runs import amount
from tests.support.providers import SILENCE, FakeProvider
from tests.support.waiting import until

NUMBER = "+919876543210"
KILLS = amount(40, 200)
LANES = 4  # of kills beside each other
ROOT = Path(__file__).parents[2]


class ForkingWorker:
    """Starts worker processes within milliseconds."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.auth.forking_worker"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._turn = asyncio.Lock()

    async def start_worker(self) -> int:
        async with self._turn:
            return await asyncio.to_thread(self._start)

    def _start(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        while not (line := self._process.stdout.readline()).strip().isdigit():
            assert line, "the forking process ended"
        return int(line)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
async def forking_worker(
    twilio: FakeProvider,
    webhook: FakeProvider,
    auth_dsn: str,
    valkey: Any,
    keys_folder: Path,
) -> AsyncIterator[ForkingWorker]:
    values = {
        "env": "development",
        "public_url": ISSUER,
        "auth_database_url": auth_dsn,
        "redis_url": valkey.url(),
        "jwt_private_keys_dir": str(keys_folder),
        "secret_keys": SECRET,
        "revocation_key": REVOCATION_KEY,
        **provider_settings(twilio, webhook, "twilio", "webhook"),
    }
    started = ForkingWorker({name.upper(): str(value) for name, value in values.items()})
    yield started
    started.end()


@pytest.mark.long
async def test_workers_killed_while_sending_lose_no_code_and_repeat_none(
    serving_auth: Callable[..., Any],
    forking_worker: ForkingWorker,
    twilio: FakeProvider,
    webhook: FakeProvider,
) -> None:
    pick = random.Random(20)  # noqa: S311 - moments, not secrets
    numbers = [f"+9198765{i:05d}" for i in range(KILLS)]

    async def all_arrived() -> bool:
        taken = {message["to"] for message in twilio.messages + webhook.messages}
        return taken >= set(numbers)

    async def kill_at_each(some: list[str]) -> None:
        for number in some:
            worker = await forking_worker.start_worker()
            assert (await auth.request_code(number)).status == 202
            await asyncio.sleep(pick.uniform(0.0, 0.12))
            os.kill(worker, signal.SIGKILL)

    async with serving_auth(delivery_worker=False) as auth:
        await asyncio.gather(*(kill_at_each(numbers[lane::LANES]) for lane in range(LANES)))
        survivor = await forking_worker.start_worker()
        await until(all_arrived, 20)
        os.kill(survivor, signal.SIGKILL)
    for provider in (twilio, webhook):
        times = Counter(message["to"] for message in provider.messages)
        assert max(times.values(), default=0) <= 1
    print(f"twilio {len(twilio.messages)}, webhook {len(webhook.messages)} of {KILLS}")


async def test_worker_killed_delivery_is_taken_over_within_5_s(
    serving_auth: Callable[..., Any],
    forking_worker: ForkingWorker,
    twilio: FakeProvider,
    webhook: FakeProvider,
) -> None:
    twilio.answers = [SILENCE]
    async with serving_auth(delivery_worker=False) as auth:
        first = await forking_worker.start_worker()
        await auth.request_code(NUMBER)
        await twilio.received(1)
        os.kill(first, signal.SIGKILL)
        killed = asyncio.get_running_loop().time()
        second = await forking_worker.start_worker()
        [message] = await webhook.received(1)
        assert message["to"] == NUMBER
        assert asyncio.get_running_loop().time() - killed < 5
        os.kill(second, signal.SIGKILL)
    assert len(twilio.messages) == 1


async def test_worker_frozen_delivery_is_sent_once_by_another(
    serving_auth: Callable[..., Any],
    forking_worker: ForkingWorker,
    twilio: FakeProvider,
    webhook: FakeProvider,
) -> None:
    """Its attempt is open, so the other provider is asked, and nobody is asked again."""
    twilio.answers = [SILENCE]
    async with serving_auth(delivery_worker=False) as auth:
        frozen = await forking_worker.start_worker()
        await auth.request_code(NUMBER)
        await twilio.received(1)
        os.kill(frozen, signal.SIGSTOP)
        other = await forking_worker.start_worker()
        await webhook.received(1)
        os.kill(frozen, signal.SIGCONT)
        await auth.request_code("+919876543211")  # either of them sends it: both are well
        await twilio.received(2)
        for pid in (frozen, other):
            os.kill(pid, signal.SIGKILL)
    assert len(webhook.messages) == 1
    assert [message["to"] for message in twilio.messages] == [NUMBER, "+919876543211"]


@pytest.mark.usefixtures("command_environment")
async def test_worker_command_on_sigterm_ends_with_0(redis: Redis, tmp_path: Path) -> None:
    started = run_command(
        "auth_service", "worker", environment=dict(os.environ), output=tmp_path / "worker.log"
    )
    async with started as process, asyncio.timeout(60):
        while not await redis.exists(STREAM):
            await asyncio.sleep(0.01)
        process.terminate()
        assert await wait_for_exit(process) == 0
