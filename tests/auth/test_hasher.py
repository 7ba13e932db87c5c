"""Password hashes: argon2id, beside the loop, a bounded number in hand."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_network
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from auth_service.password.hasher import MAX_IN_HAND, Hasher, open_hasher
from auth_service.settings import AuthSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from tests.support.waiting import until

PASSWORD = "correct horse battery"
CLIENT = ip_network("198.51.100.0/24")
Open = Callable[..., AbstractAsyncContextManager[Hasher]]


@pytest.fixture
def opened(auth_settings: Callable[..., AuthSettings]) -> Open:
    def make(**changes: Any) -> AbstractAsyncContextManager[Hasher]:
        return open_hasher(auth_settings(**changes), SystemClock(), SystemEntropy())

    return make


async def test_hash_uses_argon2id_with_configured_parameters(opened: Open) -> None:
    async with opened(argon2_memory_kib=128, argon2_time=3, argon2_parallelism=2) as hasher:
        first, second = await hasher.hash(PASSWORD, CLIENT), await hasher.hash(PASSWORD, CLIENT)
    assert first.startswith("$argon2id$v=19$m=128,t=3,p=2$")
    assert first != second


async def test_hash_verify_accepts_right_password_alone(opened: Open) -> None:
    async with opened() as hasher:
        stored = await hasher.hash(PASSWORD, CLIENT)
        assert await hasher.verify(PASSWORD, stored, CLIENT) is True
        assert await hasher.verify(PASSWORD + " ", stored, CLIENT) is False


async def test_hash_verify_without_hash_takes_a_real_verification(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    async with opened() as hasher:
        original = hasher._matches

        def watched(password: str, stored: str) -> bool:
            verified.append(stored)
            return original(password, stored)

        monkeypatch.setattr(hasher, "_matches", watched)
        assert await hasher.verify(PASSWORD, None, CLIENT) is False
        assert not hasher.needs_rehash(verified[0])  # costs what a real one costs
        assert await hasher.verify(PASSWORD, "no hash at all", CLIENT) is False
    assert len(verified) == 3  # the unreadable one, then the decoy in its place


async def test_hash_of_other_parameters_needs_rehash(opened: Open) -> None:
    async with opened(argon2_time=1) as hasher:
        stored = await hasher.hash(PASSWORD, CLIENT)
        assert not hasher.needs_rehash(stored)
    async with opened(argon2_time=2) as hasher:
        assert hasher.needs_rehash(stored)
        assert await hasher.verify(PASSWORD, stored, CLIENT) is True


async def test_hash_queue_full_refuses_without_blocking_the_loop(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(argon2_concurrency=1) as hasher:
        stored, original, go = (
            await hasher.hash(PASSWORD, CLIENT),
            hasher._matches,
            threading.Event(),
        )

        def held(password: str, hash_: str) -> bool:
            go.wait(10)
            return original(password, hash_)

        monkeypatch.setattr(hasher, "_matches", held)
        with blockbuster_ctx("auth_service"):
            running = [
                asyncio.create_task(hasher.verify(PASSWORD, stored, CLIENT))
                for _ in range(MAX_IN_HAND)
            ]
            await asyncio.sleep(0)
            with pytest.raises(ServiceUnavailable) as full:
                await hasher.verify(PASSWORD, stored, CLIENT)
            assert not any(task.done() for task in running)  # nobody waited to be refused
            go.set()
            assert await asyncio.gather(*running) == [True] * MAX_IN_HAND
    assert full.value.headers() == {"Retry-After": "1"}


async def test_hash_queue_runs_at_most_the_configured_concurrency(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in memory is so many times what one takes, however many wait."""
    running, most, lock = 0, 0, threading.Lock()
    async with opened(argon2_concurrency=2) as hasher:
        stored, original = await hasher.hash(PASSWORD, CLIENT), hasher._matches

        def counted(password: str, hash_: str) -> bool:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                return original(password, hash_)
            finally:
                with lock:
                    running -= 1

        monkeypatch.setattr(hasher, "_matches", counted)
        checks = (hasher.verify(PASSWORD, stored, CLIENT) for _ in range(MAX_IN_HAND))
        assert await asyncio.gather(*checks) == [True] * MAX_IN_HAND
    assert most <= 2


async def test_hash_queue_cancelled_callers_free_their_slots(opened: Open) -> None:
    async with opened() as hasher:
        stored = await hasher.hash(PASSWORD, CLIENT)
        tasks = [
            asyncio.create_task(hasher.verify(PASSWORD, stored, CLIENT)) for _ in range(MAX_IN_HAND)
        ]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert hasher.waiting == 0
        await until(lambda: not hasher._running)
        assert await hasher.verify(PASSWORD, stored, CLIENT) is True
