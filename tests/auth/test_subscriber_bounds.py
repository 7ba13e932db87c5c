"""A subscriber that misbehaves costs publishers little, and holds no sign-out up for ever."""

import asyncio
import time

import pytest
import structlog
from prometheus_client import CollectorRegistry

from auth_service.revocation import subscribers as subject
from auth_service.revocation.metrics import register_publisher_metrics
from shared.background import run_periodically
from shared.revocation.acknowledgement import Acknowledgement
from shared.revocation.stream_cursor import StreamPosition
from tests.auth.publisher_harness import KEYS
from tests.auth.subscriber_audience import Audience, read_head, stays_open

STALENESS = 1.0


def hear(audience: Audience, name: str, applied: StreamPosition, staleness: float) -> None:
    text = Acknowledgement(name, applied, staleness).encode(KEYS[0])
    audience.subscribers.on_message(text.encode())


async def test_names_without_number_are_bounded_and_cheap_to_scrape(audience: Audience) -> None:
    registry = CollectorRegistry()
    register_publisher_metrics(registry, audience.harness.publisher)
    head = await read_head(audience.redis)
    for number in range(3 * subject.MAX_KNOWN):
        hear(audience, f"name-{number}", head, STALENESS)
    assert len(audience.names()) == subject.MAX_KNOWN
    began = time.monotonic()
    assert registry.get_sample_value("revocation_subscriber_lag_seconds") == 0
    assert time.monotonic() - began < 0.5


async def test_subscriber_beyond_the_bound_is_waited_for(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MAX_KNOWN", 1)
    head = await read_head(audience.redis)
    hear(audience, "known", head, 0.1)
    hear(audience, "uncounted", head, STALENESS)
    answer = await audience.answering()
    assert await stays_open(answer)
    assert STALENESS - 0.5 < await answer < STALENESS + 1


async def test_subscriber_that_repeats_an_old_position_is_named_and_not_waited_for_long(
    audience: Audience,
) -> None:
    old = await read_head(audience.redis)
    hear(audience, "stuck", old, STALENESS)

    async def repeat() -> None:
        hear(audience, "stuck", old, STALENESS)

    with structlog.testing.capture_logs() as logs:
        async with run_periodically("stuck", repeat, pause=0.05):
            assert await (await audience.answering()) < STALENESS + 1
    late = [entry for entry in logs if entry["event"] == "revocations.subscribers_late"]
    assert [entry["subscribers"] for entry in late] == [["stuck"]]


async def test_requests_to_wake_a_task_do_not_keep_it_running() -> None:
    wake, turns = asyncio.Event(), 0

    async def count() -> None:
        nonlocal turns
        turns += 1

    async with run_periodically("task", count, pause=60, wake=wake):
        for _ in range(100):
            wake.set()
            await asyncio.sleep(0.005)
    assert 2 <= turns <= 10


@pytest.mark.parametrize("size", [10, 100_000])
async def test_unsigned_acknowledgements_are_one_log_line_a_minute(
    audience: Audience, size: int
) -> None:
    with structlog.testing.capture_logs() as logs:
        for number in range(1000):
            audience.subscribers.on_message(b'{"mac":"%d' % number + b"[" * size)
    assert [(entry["event"], entry["times"]) for entry in logs] == [
        ("revocations.unverified_acknowledgement_ignored", 1)
    ]
