"""The day that a client gave is kept beside the instant; a time has none."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.support.database import Connection
from tests.support.media_client import MediaClient, day, part

KOLKATA = part("timezone", "Asia/Kolkata")


async def stored_day(db: Connection, creative: Any) -> date | None:
    rows = await db.fetch(
        "select due_day from due_days where creative_id = $1", UUID(creative["id"])
    )
    assert len(rows) == 1
    found: date | None = rows[0][0]
    return found


@pytest.mark.parametrize(
    ("when", "kept"),
    [
        (day(50), True),
        (f"{day(50)}T00:00:00", False),
        (f"{day(50)}T00:00:00+05:30", False),
        ("now", False),
    ],
)
async def test_creative_day_as_given_is_kept_and_time_is_none(
    media: MediaClient, media_db: Connection, when: str, *, kept: bool
) -> None:
    made = await media.upload(KOLKATA, when=when)
    assert await stored_day(media_db, made) == (date.fromisoformat(day(50)) if kept else None)


async def test_creative_rescheduled_keeps_the_last_given_day(
    media: MediaClient, media_db: Connection
) -> None:
    made = await media.upload(KOLKATA, when=day(50))
    for version, change, kept in (
        (1, {"scheduled_at": day(51)}, day(51)),
        (2, {"title": "Renamed"}, day(51)),
        (3, {"scheduled_at": f"{day(51)}T00:00:00"}, None),
        (4, {"scheduled_at": day(52), "timezone": "America/New_York"}, day(52)),
        (5, {"status": "cancelled"}, day(52)),
    ):
        answer = await media.call(
            "PATCH", f"/creatives/{made['id']}", json=change, headers={"If-Match": f'"{version}"'}
        )
        assert answer.status == 200, answer.body
        assert await stored_day(media_db, made) == (kept and date.fromisoformat(kept)), change


async def test_creative_change_of_a_stale_version_keeps_the_day(
    media: MediaClient, media_db: Connection
) -> None:
    made = await media.upload(when=day(50))
    change = {"json": {"scheduled_at": day(60)}, "headers": {"If-Match": '"2"'}}
    assert (await media.call("PATCH", f"/creatives/{made['id']}", **change)).status == 412
    assert await stored_day(media_db, made) == date.fromisoformat(day(50))


async def test_creative_deleted_takes_its_day_along(
    media: MediaClient, media_db: Connection
) -> None:
    made = await media.upload(when=day(50))
    assert (await media.call("DELETE", f"/creatives/{made['id']}")).status == 204
    assert await media_db.fetchval("select count(*) from due_days") == 0
