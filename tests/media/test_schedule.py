"""GET /scheduled: today and tomorrow, wherever the caller is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from media_service.schedule.repository import TODAY_AND_TOMORROW
from tests.support.clock import MovableClock
from tests.support.media_client import MediaClient, day, part

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


async def scheduled(media: MediaClient, zone: str | None = None) -> dict[str, list[str]]:
    """The titles that fall due, by day."""
    answer = await media.call("GET", "/scheduled", params={"timezone": zone} if zone else {})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.body) == {"scheduled_creatives"}
    days: dict[str, list[dict[str, Any]]] = answer.body["scheduled_creatives"]
    return {name: [creative["title"] for creative in found] for name, found in days.items()}


def local_day(zone: str, ahead: int = 0) -> str:
    return (datetime.now(ZoneInfo(zone)) + timedelta(days=ahead)).date().isoformat()


@pytest.mark.parametrize("zone", ["UTC", EAST, WEST])
async def test_schedule_today_in_timezone_is_accepted_and_listed_today(
    media: MediaClient, zone: str
) -> None:
    for title, ahead in (("now", 0), ("next", 1), ("later", 2)):
        when = local_day(zone, ahead)
        created = await media.upload(part("timezone", zone), part("title", title), when=when)
        due = datetime.fromisoformat(created["scheduled_at"]).astimezone(ZoneInfo(zone))
        assert (due.date().isoformat(), due.hour) == (when, 0)
    assert await scheduled(media, zone) == {"today": ["now"], "tomorrow": ["next"]}


async def test_schedule_without_timezone_uses_utc(media: MediaClient) -> None:
    await media.upload(part("title", "now"), when=day(0))
    assert await scheduled(media) == {"today": ["now"], "tomorrow": []}


async def test_schedule_days_are_ordered_by_hour(media: MediaClient, clock: MovableClock) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    clock.advance(seconds=(midnight - datetime.now(UTC)).total_seconds())  # back to midnight
    for title, hours in (("third", 23), ("first", 1), ("fifth", 40), ("second", 2), ("no", 48)):
        when = (midnight + timedelta(hours=hours)).isoformat()
        await media.upload(part("title", title), when=when)
    assert await scheduled(media) == {"today": ["first", "second", "third"], "tomorrow": ["fifth"]}


async def test_schedule_lists_own_scheduled_and_published_creatives_alone(
    media: MediaClient, media_dsn: str
) -> None:
    states = ("scheduled", "published", "failed", "cancelled")
    connection = await asyncpg.connect(media_dsn)
    for state in states:
        made = await media.upload(part("title", state), when=day(0))
        await connection.execute("update creatives set status=$1 where id=$2", state, made["id"])
    await connection.close()
    await media.as_other_user().upload(part("title", "hers"), when=day(0))
    found = await scheduled(media)
    assert sorted(found["today"]) == ["published", "scheduled"]


async def test_schedule_item_equals_the_creative(media: MediaClient) -> None:
    moment = (datetime.now(UTC) + timedelta(minutes=5)).replace(microsecond=120000)
    created = await media.upload(part("title", 'ä"\\🎉'), when=moment.isoformat())
    answer = await media.call("GET", "/scheduled", params={"timezone": "UTC"})
    days = answer.body["scheduled_creatives"]
    assert [*days["today"], *days["tomorrow"]] == [created]


async def test_schedule_unknown_timezone_is_422(media: MediaClient) -> None:
    for zone in ("", "Mars/Olympus", "utx", "../UTC", "/etc/localtime", "Etc", "a" * 65, "\0"):
        refused = await media.call("GET", "/scheduled", params={"timezone": zone})
        assert (refused.status, refused.code) == (422, "validation_failed"), zone
        assert refused.body["errors"][0]["field"] == "timezone"


async def test_schedule_query_reads_one_index_range(media: MediaClient, media_dsn: str) -> None:
    connection = await asyncpg.connect(media_dsn)
    await connection.execute(
        """
        insert into creatives
        select gen_random_uuid(), md5((n % 500)::text)::uuid, null, 'a.jpg', 'image/jpeg', 1, 1, 1,
               sha256('x'), null, now() + n * interval '1 minute', 'UTC', 'scheduled',
               '{original}', now(), now(), 1
        from generate_series(1, 20000) n
        """
    )
    await connection.execute("analyze creatives")
    now = datetime.now(UTC)
    spans = [[now + timedelta(days=ahead)] * 20 for ahead in range(3)]
    plan = await connection.fetch(f"explain {TODAY_AND_TOMORROW}", [media.user_id] * 20, *spans)
    await connection.close()
    text = "\n".join(row[0] for row in plan)
    assert "creatives_of_user_by_due" in text
    assert "Seq Scan on creatives" not in text
