"""A publisher that ends publishes what is pending, if it can."""

import asyncio
import contextlib
from typing import Any

import pytest

from auth_service.revocation import repository, service
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.stream import RevocationStream
from shared.errors import ServiceUnavailable
from tests.auth.publisher_harness import PublisherHarness
from tests.support.fault_injection import fail_calls

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
async def first_round(harness: PublisherHarness) -> None:
    """There is an epoch, and everything is published."""
    await harness.publisher.reconcile()


async def test_close_publishes_what_a_handler_could_not(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    """Subscribers do not wait for a publisher that has ended."""
    user = await harness.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await harness.publisher.publish_pending_of_user(user)
    await harness.publisher.close()
    assert await harness.names() == [str(user)]
    assert await harness.is_complete()


@pytest.mark.parametrize("error", [ServiceUnavailable, LookupError, None])
async def test_close_without_a_database_ends_all_the_same(
    harness: PublisherHarness, monkeypatch: Patch, error: type[Exception] | None
) -> None:
    monkeypatch.setattr(service, "CLOSE_TIMEOUT_SECONDS", 0.1)
    await harness.revoke()

    async def fail(*_: Any) -> Any:
        if error is None:
            await asyncio.sleep(60)
        raise error or AssertionError

    with monkeypatch.context() as broken:
        broken.setattr(repository, "pending_summary", fail)
        async with asyncio.timeout(2):
            with pytest.raises(LookupError) if error is LookupError else contextlib.nullcontext():
                await harness.publisher.close()
        assert await harness.names() == []
