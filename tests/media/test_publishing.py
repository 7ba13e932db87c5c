"""What falls due is published: once, whole, in order of due time, and late after an outage."""

import json
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from media_service.publishing.service import POLL_SECONDS, REFUSED_SECONDS, Publisher
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.publishing import (
    OWNER,
    all_events,
    count_published,
    create_due,
    creative_row,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def test_publisher_due_creative_is_published_with_one_event(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    one, due = uuid4(), clock.now() - SECOND
    await create_due(media_db, due, one=one)
    await create_due(media_db, clock.now() + DAY)
    before = await creative_row(media_db, one)
    await publisher.publish_due()
    after = await creative_row(media_db, one)
    published_at = after["updated_at"]
    assert after == before | {"status": "published", "version": 2, "updated_at": published_at}
    assert due < published_at <= clock.now()
    recorded = await media_db.fetch("select * from publications")
    assert [tuple(publication) for publication in recorded] == [(one, published_at)]
    (event,) = await all_events(media_db)
    assert (event["type"], event["user_id"], event["occurred_at"]) == (
        "creative.due",
        OWNER,
        published_at,
    )
    assert event["id"].version == 7
    data = event["data"]
    assert (data["id"], data["status"], data["version"]) == (str(one), "published", 2)
    assert datetime.fromisoformat(data["due_at"]) == due
    assert data["scheduled_at"] == data["due_at"]
    assert datetime.fromisoformat(data["published_at"]) == published_at
    assert data["late"] is False
    assert len(json.dumps(data)) < 2000
    await publisher.publish_due()
    assert await count_published(media_db) == (1, 1, 1)


async def test_publisher_after_outage_publishes_in_order_and_marks_late(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    now = clock.now()
    ages = (7200, 30, 61, 86_400, 59, 300)
    await create_due(media_db, *(now - timedelta(seconds=age) for age in ages))
    await publisher.publish_due()
    found = [event["data"] for event in await all_events(media_db)]
    order = [
        round((now - datetime.fromisoformat(data["due_at"])).total_seconds()) for data in found
    ]
    assert order == sorted(ages, reverse=True)
    assert [data["late"] for data in found] == [True] * 4 + [False] * 2
    assert all(datetime.fromisoformat(data["published_at"]) >= now for data in found)


async def test_publisher_creative_of_a_day_that_has_begun_is_not_late(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    now = clock.now()
    await create_due(media_db, now - timedelta(hours=9), created=now)
    await publisher.publish_due()
    assert [event["data"]["late"] for event in await all_events(media_db)] == [False]


async def test_publisher_reschedule_moves_the_time_of_publication(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    one = uuid4()
    await create_due(media_db, clock.now() - SECOND, one=one)
    await media_db.execute("update creatives set due_at = $1", clock.now() + DAY)
    await publisher.publish_due()
    assert await count_published(media_db) == (0, 0, 0)
    clock.advance(days=1)
    await publisher.publish_due()
    assert await count_published(media_db) == (1, 1, 1)


async def test_publisher_clock_steps_publish_nothing_earlier_than_the_step_nor_twice(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    start = clock.now()
    ahead = [timedelta(minutes=minutes) for minutes in (-1, 4, 6)]
    await create_due(media_db, *(start + one for one in ahead))
    for step, published in ((0, 1), (5, 2), (-10, 2), (5, 2), (7, 3), (-7, 3)):
        clock.advance(minutes=step)
        await publisher.publish_due()
        assert await count_published(media_db) == (published,) * 3, step
        assert publisher.pause() <= POLL_SECONDS
    early = [
        datetime.fromisoformat(event["data"]["published_at"])
        - datetime.fromisoformat(event["data"]["due_at"])
        for event in await all_events(media_db)
    ]
    assert min(early) >= timedelta()


async def test_publisher_pause_ends_when_the_next_creative_falls_due(
    media_db: Connection,
    publisher: Publisher,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    await publisher.publish_due()
    assert publisher.pause() == POLL_SECONDS
    for ahead, pause in ((DAY, POLL_SECONDS), (SECOND / 10, 0.1)):
        await create_due(media_db, now + ahead)
        await publisher.publish_due()
        assert publisher.pause() == pause
        assert publisher.overdue_seconds() == 0


async def test_publisher_overdue_seconds_are_those_of_the_first_creative(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    assert publisher.overdue_seconds() == 0
    now = clock.now()
    await create_due(media_db, now - timedelta(seconds=300), now - timedelta(seconds=7000))
    await publisher.read_next_due()
    assert 7000 <= publisher.overdue_seconds() < 7010
    await media_db.execute("update creatives set updated_at = $1", now)
    await publisher.read_next_due()
    assert publisher.overdue_seconds() < 10
    await publisher.publish_due()
    assert publisher.overdue_seconds() == 0


async def test_publication_of_deleted_creative_is_deleted_and_its_event_stays(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    await create_due(media_db, clock.now())
    await publisher.publish_due()
    await media_db.execute("delete from creatives")
    assert await count_published(media_db) == (0, 0, 1)


async def test_publisher_creative_that_was_published_before_holds_up_no_other(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    """An operator may have scheduled it again by hand."""
    one, now = uuid4(), clock.now()
    await create_due(media_db, now - 2 * SECOND, one=one)
    await publisher.publish_due()
    await media_db.execute("update creatives set status = 'scheduled'")
    await create_due(media_db, now - SECOND)
    await publisher.publish_due()
    assert await count_published(media_db) == (2, 2, 3)
    published_at = await media_db.fetchval(
        "select published_at from publications where creative_id = $1", one
    )
    assert published_at == (await creative_row(media_db, one))["updated_at"]


async def test_publisher_creatives_that_postgresql_refuses_are_named_and_hold_up_no_other(
    media_db: Connection,
    publisher: Publisher,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_service.publishing.service.BATCH", 2)
    bad, now = [uuid4() for _ in range(3)], clock.now()
    for one in bad:
        await create_due(media_db, now - 10 * SECOND, one=one)
    await media_db.execute("update creatives set version = 2147483647")
    good = [now - number * SECOND for number in (5, 4, 3, 2)]
    await create_due(media_db, *good)
    with capture_logs() as logs:
        for _ in range(3):
            await publisher.publish_due()
    found = [event["data"]["due_at"] for event in await all_events(media_db)]
    assert [datetime.fromisoformat(due_at) for due_at in found] == good
    refused = [one for one in logs if one["event"] == "creative.publication_refused"]
    assert sorted(one["creative_id"] for one in refused) == sorted(map(str, bad))
    assert publisher.overdue_seconds() >= 10
    await media_db.execute("update creatives set version = 1 where status = 'scheduled'")
    await publisher.publish_due()
    assert len(await all_events(media_db)) == 4
    clock.advance(seconds=REFUSED_SECONDS)
    await publisher.publish_due()
    assert await count_published(media_db) == (7, 7, 7)
