"""The events of a calendar feed: their fields, and the signs of a change."""

from datetime import datetime, timedelta
from typing import Any

from media_service.feed.repository import MAX_PAST, MAX_UPCOMING
from media_service.publishing.service import Publisher
from tests.support.calendars import HOSTILE, SHOWN_HOSTILE, Parsed
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.feeds import create_feed, fetch_feed, read_feed
from tests.support.media_client import MediaClient, day, part
from tests.support.publishing import create_due


async def change(media: MediaClient, creative: Any, **fields: Any) -> Any:
    answer = await media.call(
        "PATCH", f"/creatives/{creative['id']}", json=fields, headers={"If-Match": "*"}
    )
    assert answer.status == 200, answer.body
    return answer.body


async def test_feed_shows_own_creatives_as_days_and_times(media: MediaClient) -> None:
    kolkata = part("timezone", "Asia/Kolkata")
    titled = await media.upload(kolkata, part("title", "a, b; c"), when=day(20))
    untitled = await media.upload(kolkata, when=f"{day(21)}T09:30:15.5")
    await media.as_other_user().upload(when=day(20))
    path = await create_feed(media)
    found = await read_feed(media, path)
    assert [event.uid for event in found] == [titled["id"], untitled["id"]]
    first, second = found
    assert (first.start, first.summary) == (day(20), "a, b; c")
    assert (second.start, second.summary) == (f"{day(21)}T04:00:15Z", "photo.jpg")
    assert (first.status, first.sequence, first.description) == (
        "CONFIRMED",
        0,
        "Status: scheduled",
    )
    changed = datetime.fromisoformat(titled["updated_at"])
    assert first.changed == first.stamp == f"{changed:%Y-%m-%dT%H:%M:%SZ}"


async def test_feed_sequence_grows_with_each_change(media: MediaClient) -> None:
    made = await media.upload(when=day(20))
    path, seen = await create_feed(media), list[Parsed]()
    for fields in (
        {},
        {"scheduled_at": day(30)},
        {"title": "New"},
        {"scheduled_at": f"{day(30)}T00:00:00Z"},
        {"scheduled_at": day(31), "timezone": "Asia/Tokyo"},
        {"timezone": "America/New_York"},
        {"status": "cancelled"},
    ):
        if fields:
            await change(media, made, **fields)
        seen += await read_feed(media, path)
    assert {event.uid for event in seen} == {made["id"]}
    assert [event.sequence for event in seen] == list(range(7))
    assert [event.changed for event in seen] == sorted(event.changed for event in seen)
    midnight, there = f"{day(30)}T00:00:00Z", f"{day(30)}T15:00:00Z"
    starts = [day(20), day(30), day(30), midnight, day(31), there, there]
    assert [event.start for event in seen] == starts
    assert [event.status for event in seen] == ["CONFIRMED"] * 6 + ["CANCELLED"]


async def test_feed_shows_what_was_published(
    media: MediaClient, media_db: Connection, publisher: Publisher
) -> None:
    made, path = await media.upload(when="now"), await create_feed(media)
    (before,) = await read_feed(media, path)
    await publisher.publish_due()
    (after,) = await read_feed(media, path)
    assert (before.uid, before.description) == (made["id"], "Status: scheduled")
    assert (after.uid, after.description) == (made["id"], "Status: published")
    assert (before.sequence, after.sequence) == (0, 1)
    assert before.start == after.start


async def test_feed_cancelled_creative_is_kept_for_30_days(
    media: MediaClient, clock: MovableClock
) -> None:
    cancelled = await media.upload(when=day(200))
    kept = await media.upload(when=day(201))
    await change(media, cancelled, status="cancelled")
    path = await create_feed(media)
    clock.advance(days=29, hours=23)
    assert [event.uid for event in await read_feed(media, path)] == [cancelled["id"], kept["id"]]
    clock.advance(hours=2)
    assert [event.uid for event in await read_feed(media, path)] == [kept["id"]]


async def test_feed_hostile_title_stays_in_its_line(
    media: MediaClient, media_db: Connection
) -> None:
    """No form takes such a title; a row of an older release may have it."""
    await media.upload(when=day(20))
    hostile = HOSTILE.replace("\x00", "")  # PostgreSQL stores none
    await media_db.execute("update creatives set title = $1", hostile)
    (event,) = await read_feed(media, await create_feed(media))
    assert event.summary == SHOWN_HOSTILE.replace("ATTACH:x ", "ATTACH:x")


async def test_feed_is_bounded_and_prefers_what_is_next(
    media: MediaClient, media_db: Connection, clock: MovableClock
) -> None:
    now, minute = clock.now(), timedelta(minutes=1)
    later = [now + minute * (number + 1) for number in range(MAX_UPCOMING + 3)]
    earlier = [now - minute * (number + 1) for number in range(MAX_PAST + 3)]
    await create_due(media_db, *later, *earlier)
    await media_db.execute("update creatives set user_id = $1", media.user_id)
    found = [event.start for event in await read_feed(media, await create_feed(media))]
    shown = sorted([*later[:MAX_UPCOMING], *earlier[:MAX_PAST]])
    assert found == [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in shown]


async def test_feed_known_version_is_304_until_something_changes(media: MediaClient) -> None:
    made, path = await media.upload(when=day(20)), await create_feed(media)
    etag = (await fetch_feed(media, path)).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', f'{etag[:-1]}-gzip"', "*"):
        answer = await fetch_feed(media, path, **{"If-None-Match": known})
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", etag)
        assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (await fetch_feed(media, path)).headers["ETag"] == etag
    etags = [etag]
    for step in (
        change(media, made, title="New"),
        change(media, made, status="cancelled"),
        media.upload(when=day(21)),
        media.call("DELETE", f"/creatives/{made['id']}"),
    ):
        await step
        answer = await fetch_feed(media, path, **{"If-None-Match": etags[-1]})
        assert answer.status == 200
        etags.append(answer.headers["ETag"])
    assert len(set(etags)) == len(etags)
