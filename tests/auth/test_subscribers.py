"""A revocation is answered once no subscriber honours what it revoked."""

import asyncio
import math

import pytest
from prometheus_client import CollectorRegistry

from auth_service.revocation import subscribers
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.metrics import register_publisher_metrics
from auth_service.revocation.subscribers import CLOCK_MARGIN_SECONDS, FORGET_AFTER_SECONDS
from shared.background import cancel_and_wait
from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL, Acknowledgement
from shared.revocation.message import REVOCATION_HEAD, REVOCATION_STREAM
from shared.revocation.stream_cursor import StreamId, StreamPosition
from tests.auth.subscriber_audience import LONG, Audience, read_head, say, stays_open
from tests.support.waiting import until

SOON = 0.5
STALENESS = 1.0
LONG_AGO: StreamId = (1, 0)


async def test_revocation_without_subscribers_is_answered_at_once(audience: Audience) -> None:
    assert await (await audience.answering()) < SOON


async def test_revocation_waits_for_each_subscriber(audience: Audience) -> None:
    await audience.join("a")
    await audience.join("b")
    answer = await audience.answering()
    assert await stays_open(answer)
    await audience.apply("a")
    assert await stays_open(answer)
    await audience.apply("b")
    async with asyncio.timeout(SOON):
        await answer


async def test_revocation_published_with_others_waits_for_its_own_entry(
    audience: Audience,
) -> None:
    await audience.join("a")
    first = await audience.answering()
    applied = await read_head(audience.redis)
    second = await audience.answering()
    await say(audience.redis, "a", applied, LONG)
    async with asyncio.timeout(SOON):
        await first
    assert await stays_open(second)
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await second


async def test_acknowledgement_of_another_epoch_does_not_count(audience: Audience) -> None:
    await audience.join("a")
    answer = await audience.answering()
    head = await read_head(audience.redis)
    await say(audience.redis, "a", StreamPosition("another", (head.entry[0] + 1, 0)), LONG)
    assert await stays_open(answer)
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await answer


async def test_acknowledgement_before_the_script_answers_counts_by_its_position(
    audience: Audience,
) -> None:
    await audience.join("a")
    marker = audience.subscribers.new_marker()
    audience.subscribers.on_message(marker.text.encode())
    reconnected = StreamPosition()  # and it may honour tokens for as long as its last look lets it
    await say(audience.redis, "a", reconnected, LONG)
    await until(lambda: audience.subscribers.known()[0].newest.applied == reconnected)
    epoch, (milliseconds, _) = await read_head(audience.redis)
    published = StreamPosition(epoch, (milliseconds + 1, 0))
    answer = asyncio.create_task(audience.subscribers.wait_until_applied(published, marker))
    assert await stays_open(answer)
    await say(audience.redis, "a", published, LONG)
    async with asyncio.timeout(SOON):
        await answer


async def test_call_that_was_cancelled_does_not_delay_another_of_its_publication(
    audience: Audience,
) -> None:
    await audience.join("a")
    epoch, (milliseconds, _) = await read_head(audience.redis)
    published = StreamPosition(epoch, (milliseconds + 1, 0))
    marker = audience.subscribers.new_marker()
    audience.subscribers.on_message(marker.text.encode())
    cancelled, other = [
        asyncio.create_task(audience.subscribers.wait_until_applied(published, marker))
        for _ in range(2)
    ]
    assert await stays_open(other)
    await cancel_and_wait(cancelled)
    await say(audience.redis, "a", published, LONG)
    async with asyncio.timeout(SOON):
        await other


async def test_silent_subscriber_is_waited_for_once(audience: Audience) -> None:
    await audience.join("frozen", STALENESS)
    first = await (await audience.answering())
    assert STALENESS - SOON < first < STALENESS + CLOCK_MARGIN_SECONDS + SOON
    assert await (await audience.answering()) < SOON


@pytest.mark.parametrize("staleness", [0, None])
async def test_subscriber_that_ended_or_fails_open_is_not_waited_for(
    audience: Audience, staleness: float | None
) -> None:
    await audience.join("a", LONG if staleness == 0 else None)
    await audience.join("b")
    await say(audience.redis, "a", await read_head(audience.redis), staleness)
    answer = await audience.answering()
    assert await stays_open(answer)
    await audience.apply("b")
    async with asyncio.timeout(SOON):
        await answer


async def test_subscriber_that_ends_meanwhile_is_not_waited_for(audience: Audience) -> None:
    await audience.join("a")
    answer = await audience.answering()
    assert await stays_open(answer)
    await say(audience.redis, "a", await read_head(audience.redis), 0)
    async with asyncio.timeout(SOON):
        await answer


async def test_subscriber_that_joins_after_the_publication_is_not_waited_for(
    audience: Audience,
) -> None:
    """The look that it announced shows the entry."""
    await audience.join("a")
    answer = await audience.answering()
    await say(audience.redis, "late", StreamPosition("", LONG_AGO), LONG)
    await until(lambda: "late" in audience.names())
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await answer


async def test_forged_acknowledgement_is_ignored(audience: Audience) -> None:
    await audience.join("a")
    answer = await audience.answering()
    forged = Acknowledgement("a", await read_head(audience.redis), 0).encode(b"f" * 40)
    await audience.redis.publish(ACKNOWLEDGEMENT_CHANNEL, forged)
    await audience.redis.publish(ACKNOWLEDGEMENT_CHANNEL, "{")
    assert await stays_open(answer)
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await answer


async def test_publisher_that_just_started_waits_as_long_as_any_may_honour(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber that spoke before may be silent since."""
    monkeypatch.setattr(audience.subscribers, "max_staleness", STALENESS)
    audience.subscribers._listening_since = audience.harness.clock.monotonic()
    took = await (await audience.answering())
    assert STALENESS - SOON < took < STALENESS + CLOCK_MARGIN_SECONDS + SOON


async def test_marker_before_the_subscription_is_confirmed_does_not_count(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience.subscribers, "_listening_since", math.inf)
    marker = audience.subscribers.new_marker()
    audience.subscribers.on_message(marker.text.encode())
    assert not marker.heard.is_set()


async def test_publisher_that_does_not_hear_its_marker_waits_as_long(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its subscription is half open."""
    monkeypatch.setattr(audience.subscribers, "max_staleness", STALENESS)
    monkeypatch.setattr(subscribers, "_MARKER_START", b"never heard")
    took = await (await audience.answering())
    assert STALENESS - SOON < took < STALENESS + CLOCK_MARGIN_SECONDS + SOON


async def test_entry_lost_in_a_failover_during_the_wait_is_pending(audience: Audience) -> None:
    """The subscriber acknowledges the next entry, whose id is later."""
    harness = audience.harness
    await audience.join("a")
    snapshot = await harness.dump(REVOCATION_STREAM, REVOCATION_HEAD)
    answer = await audience.answering()
    await harness.redis.delete(*snapshot)
    await harness.restore({key: value for key, value in snapshot.items() if value})
    await harness.revoke()
    await harness.publish_all()
    await audience.apply("a")
    with pytest.raises(RevocationPending):
        await answer


async def test_repeated_call_publishes_again_what_a_failover_lost(audience: Audience) -> None:
    harness = audience.harness
    user = await harness.delete_user()
    snapshot = await harness.dump(REVOCATION_STREAM, REVOCATION_HEAD)
    await audience.answer(user)
    assert await harness.names() == [str(user)]
    await harness.redis.delete(*snapshot, "revocations:deleted")
    await harness.restore({key: value for key, value in snapshot.items() if value})
    assert await harness.names() == []
    await audience.join("a")
    answer = asyncio.create_task(audience.answer(user))
    assert await stays_open(answer)
    assert await harness.names() == [str(user)]
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await answer


async def test_repeated_call_waits_for_an_entry_that_another_call_published(
    audience: Audience,
) -> None:
    user = await audience.harness.delete_user()
    await audience.answer(user)
    await audience.join("a")
    head = await read_head(audience.redis)
    await say(audience.redis, "a", StreamPosition(head.epoch, LONG_AGO), LONG)
    answer = asyncio.create_task(audience.answer(user))
    assert await stays_open(answer)
    await audience.apply("a")
    async with asyncio.timeout(SOON):
        await answer
    assert await audience.harness.names() == [str(user)]


async def test_subscriber_is_forgotten_when_it_was_silent_for_long(audience: Audience) -> None:
    await audience.join("a")
    audience.harness.clock.advance(seconds=FORGET_AFTER_SECONDS - 0.5)
    assert audience.names() == ["a"]
    audience.harness.clock.advance(seconds=0.5)
    assert audience.names() == []


async def test_gauges_tell_of_subscribers_and_the_slowest_of_them(audience: Audience) -> None:
    registry = CollectorRegistry()
    register_publisher_metrics(registry, audience.harness.publisher)

    def read() -> list[float | None]:
        names = ("revocation_subscribers", "revocation_subscriber_lag_seconds")
        return [registry.get_sample_value(name) for name in names]

    assert read() == [0, 0]
    await audience.answer(await audience.harness.delete_user())
    await audience.join("a")
    epoch, entry = await read_head(audience.redis)
    await say(audience.redis, "b", StreamPosition(epoch, (entry[0] - 1500, 0)), LONG)
    await until(lambda: audience.names() == ["a", "b"])
    assert read() == [2, 1.5]
