"""Creatives that fall due while media_service runs, as clients and operators see them."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.db import open_database
from shared.webhooks.event.repository import EXPIRED_BATCH, RETENTION, delete_expired
from tests.conftest import REVOCATION_KEY
from tests.support.clock import MovableClock
from tests.support.command_process import KillPoint, run_command, wait_for_exit
from tests.support.database import Connection
from tests.support.media_client import MediaClient, day, part
from tests.support.tokens import tell_of_deleted
from tests.support.waiting import until

CLAIM = "media_service.publishing.repository.publish_due"


@pytest.fixture
async def publishing_media(serving_media: Callable[..., Any]) -> AsyncIterator[MediaClient]:
    """media_service with its publisher."""
    async with serving_media(publish_worker=True) as client:
        yield client


async def wait_for_publication(media: MediaClient, creative_id: str) -> Any:
    """Return the published creative."""
    path = f"/creatives/{creative_id}"

    async def is_published() -> bool:
        answer = await media.call("GET", path)
        return bool(answer.body["status"] == "published")

    await until(is_published)
    return (await media.call("GET", path)).body


async def titles(media: MediaClient, **query: str) -> list[str]:
    answer = await media.call("GET", "/creatives", params=query)
    return [creative["title"] for creative in answer.body["items"]]


async def overdue_seconds(media: MediaClient) -> float:
    async with media.http.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    name = "media_creatives_overdue_seconds "
    return float(next(line for line in lines if line.startswith(name)).removeprefix(name))


async def test_creative_that_falls_due_is_published(
    publishing_media: MediaClient, media_db: Connection
) -> None:
    media = publishing_media
    later = await media.upload(part("title", "later"), when=day(1))
    created = await media.upload(part("title", "now"), when="now")
    assert (created["status"], created["published_at"]) == ("scheduled", None)
    published = await wait_for_publication(media, created["id"])
    published_at = published["published_at"]
    assert published == created | {
        "status": "published",
        "published_at": published_at,
        "updated_at": published_at,
        "version": 2,
    }
    assert created["scheduled_at"] <= published_at
    assert await titles(media, status="published") == ["now"]
    assert await titles(media, status="scheduled") == ["later"]
    days = (await media.call("GET", "/scheduled")).body["scheduled_creatives"]
    assert days == {"today": [published], "tomorrow": [later]}
    data = await media_db.fetchval("select data from events where type = 'creative.due'")
    added = {"due_at": created["scheduled_at"], "late": False}
    assert json.loads(data) == published | added


async def test_published_creative_can_be_renamed_and_deleted_but_not_rescheduled(
    publishing_media: MediaClient,
) -> None:
    media = publishing_media
    created = await media.upload(when="now")
    path = f"/creatives/{created['id']}"
    published = await wait_for_publication(media, created["id"])
    known = await media.call("GET", path, headers={"If-None-Match": '"1"'})
    assert (known.status, known.headers["ETag"]) == (200, '"2"')
    for change in ({"status": "cancelled"}, {"scheduled_at": day(3)}):
        stale = await media.call("PATCH", path, json=change, headers={"If-Match": '"1"'})
        assert (stale.status, stale.body["current_version"]) == (412, 2)
        refused = await media.call("PATCH", path, json=change, headers={"If-Match": '"2"'})
        assert (refused.status, refused.code) == (409, "conflict")
    renamed = await media.call("PATCH", path, json={"title": "x"}, headers={"If-Match": '"2"'})
    assert (renamed.body["title"], renamed.body["version"]) == ("x", 3)
    assert renamed.body["published_at"] == published["published_at"]
    gone = await media.call("DELETE", path, headers={"If-Match": '"3"'})
    assert gone.status == 204


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"scheduled_at": day(9)}])
async def test_change_in_the_instant_of_publication_wins_or_loses_whole(
    publishing_media: MediaClient, media_db: Connection, change: dict[str, str]
) -> None:
    media = publishing_media
    outcomes = set()
    for number in range(12):
        created = await media.upload(when=day(1))
        due = datetime.now(UTC) + timedelta(milliseconds=200)
        await media_db.execute("update creatives set due_at = $1 where id = $2", due, created["id"])
        await asyncio.sleep(0.2 + (number - 6) / 1000)
        path, headers = f"/creatives/{created['id']}", {"If-Match": '"1"'}
        answer = await media.call("PATCH", path, json=change, headers=headers)
        events = """select count(*) from events
                    where type = 'creative.due' and data ->> 'id' = $1"""
        if answer.status == 200:
            assert answer.body["published_at"] is None
            await asyncio.sleep(0.3)  # for a publisher that would do it all the same
            assert (await media.call("GET", path)).body == answer.body
            assert await media_db.fetchval(events, created["id"]) == 0
        else:
            assert answer.status in {409, 412}
            assert (await wait_for_publication(media, created["id"]))["version"] == 2
            assert await media_db.fetchval(events, created["id"]) == 1
        outcomes.add(answer.status)
    assert outcomes


async def test_publish_worker_off_publishes_nothing_and_shows_overdue_seconds(
    media: MediaClient, clock: MovableClock
) -> None:
    created = await media.upload(when="now")
    clock.advance(seconds=20)

    async def is_shown() -> bool:
        return 20 <= await overdue_seconds(media) < 80

    await until(is_shown)
    assert (await media.call("GET", f"/creatives/{created['id']}")).body == created


async def test_overdue_seconds_fall_to_zero_once_published(publishing_media: MediaClient) -> None:
    created = await publishing_media.upload(when="now")
    await wait_for_publication(publishing_media, created["id"])

    async def is_zero() -> bool:
        return await overdue_seconds(publishing_media) == 0

    await until(is_zero)


async def test_erasure_of_deleted_user_removes_their_events(
    publishing_media: MediaClient, media_db: Connection, redis: Redis
) -> None:
    media, other = publishing_media, publishing_media.as_other_user()
    for user in (media, other):
        await wait_for_publication(user, (await user.upload(when="now"))["id"])
    await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)

    async def is_erased() -> bool:
        rows = await media_db.fetch("select user_id from events")
        return {row["user_id"] for row in rows} == {other.user_id}

    await until(is_erased)


async def test_expired_events_are_deleted(media_db: Connection, media_dsn: str) -> None:
    now = datetime.now(UTC)
    await media_db.execute(
        """insert into events (id, user_id, type, occurred_at, data)
           select gen_random_uuid(), gen_random_uuid(), 'creative.due',
                  $1::timestamptz - n * interval '1 second', '{}'
           from generate_series(0, $2) n""",
        now - RETENTION + timedelta(seconds=10),
        2 * EXPIRED_BATCH + 9,
    )
    async with open_database(media_dsn) as database:
        await delete_expired(database, now)
    assert await media_db.fetchval("select count(*) from events") == 10


@pytest.mark.parametrize("leaving", [False, True])
async def test_worker_killed_at_the_claim_leaves_it_undone_or_done(
    media: MediaClient,
    media_environment: dict[str, str],
    media_db: Connection,
    tmp_path: Path,
    leaving: bool,
) -> None:
    created = await media.upload(when="now")

    def worker(death: KillPoint | None) -> Any:
        output, environment = tmp_path / "worker.log", media_environment
        return run_command(
            "media_service", "worker", environment=environment, output=output, death=death
        )

    async with worker(KillPoint(CLAIM, leaving=leaving)) as killed, asyncio.timeout(60):
        assert await wait_for_exit(killed) == -signal.SIGKILL
    left = (await media.call("GET", f"/creatives/{created['id']}")).body
    assert left["status"] == ("published" if leaving else "scheduled")
    async with worker(None) as process, asyncio.timeout(60):
        assert (await wait_for_publication(media, created["id"]))["version"] == 2
        await wait_for_publication(media, (await media.upload(when="now"))["id"])
        due = "select count(*) from events where type = 'creative.due'"
        assert await media_db.fetchval(due) == 2
        process.terminate()
        assert await wait_for_exit(process) == 0
