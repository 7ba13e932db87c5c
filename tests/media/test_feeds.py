"""Addresses of calendar feeds: who gets one, what it opens, and when it ends."""

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from media_service.feed import vcalendar
from shared.opaque_tokens import encode_token, has_valid_checksum, hash_token
from tests.conftest import ISSUER, REVOCATION_KEY
from tests.support.calendars import parse
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.feeds import create_feed, fetch_feed, read_feed
from tests.support.media_client import MEDIA, MediaClient
from tests.support.tokens import tell_of_deleted
from tests.support.waiting import until


async def last_read(media: MediaClient) -> datetime | None:
    found = (await media.call("GET", "/feed")).body["last_read_at"]
    return found and datetime.fromisoformat(found)


async def test_feed_created_is_read_without_signing_in(media: MediaClient) -> None:
    answer = await media.call("POST", "/feed")
    assert (answer.status, list(answer.body)) == (201, ["url"])
    url = answer.body["url"]
    token = url.removeprefix(f"{ISSUER}{MEDIA}/feed/").removesuffix(".ics")
    assert has_valid_checksum("chf_", token)
    calendar = await fetch_feed(media, urlsplit(url).path)
    assert calendar.status == 200
    assert calendar.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert calendar.headers["Cache-Control"] == "private, no-cache"
    assert calendar.headers["X-Content-Type-Options"] == "nosniff"
    assert calendar.headers["Referrer-Policy"] == "no-referrer"
    assert parse(calendar.body) == []
    head = await fetch_feed(media, urlsplit(url).path, "HEAD")
    assert (head.status, head.headers["ETag"]) == (200, calendar.headers["ETag"])


async def test_feed_token_is_stored_as_its_hash_alone(
    media: MediaClient, media_db: Connection
) -> None:
    token = (await create_feed(media)).rpartition("/")[2].removesuffix(".ics")
    (row,) = await media_db.fetch("select * from feeds")
    assert (row["user_id"], row["token_hash"]) == (media.user_id, hash_token(token))
    assert token[4:] not in str(dict(row))


async def test_feed_second_address_replaces_the_first(media: MediaClient) -> None:
    first = await create_feed(media)
    await read_feed(media, first)
    second = await create_feed(media)
    assert await last_read(media) is None
    assert (await fetch_feed(media, first)).code == "not_found"
    assert await read_feed(media, second) == []


async def test_feed_deleted_is_gone(media: MediaClient) -> None:
    path, other = await create_feed(media), media.as_other_user()
    theirs = await create_feed(other)
    assert (await media.call("DELETE", "/feed")).status == 204
    assert (await fetch_feed(media, path)).code == "not_found"
    for method in ("GET", "DELETE"):
        assert (await media.call(method, "/feed")).code == "not_found"
    assert (await fetch_feed(media, theirs)).status == 200
    assert (await other.call("GET", "/feed")).status == 200


async def test_feed_unknown_token_is_404_alike(media: MediaClient) -> None:
    token = (await create_feed(media)).rpartition("/")[2].removesuffix(".ics")
    unknown, bodies = encode_token("chf_", bytes(32)), list[Any]()
    for wrong in (unknown, token[:-1], token.upper(), f"{token}x", "x", "%FF", "%ED%A0%80", "%00"):
        answer = await fetch_feed(media, f"{MEDIA}/feed/{wrong}.ics")
        assert (answer.status, answer.code) == (404, "not_found")
        bodies.append(answer.body | {"request_id": ""})
    assert all(body == bodies[0] for body in bodies)
    assert await last_read(media) is None


async def test_feed_last_read_is_noted_once_a_minute(
    media: MediaClient, media_db: Connection, clock: MovableClock
) -> None:
    async def noted() -> Any:
        return await media_db.fetchval("select last_read_at from feeds")

    start, path = clock.now(), await create_feed(media)
    answer = await media.call("GET", "/feed")
    assert (answer.status, answer.body["last_read_at"]) == (200, None)
    assert start <= datetime.fromisoformat(answer.body["created_at"]) <= clock.now()
    etag = (await fetch_feed(media, path)).headers["ETag"]
    first = await last_read(media)
    assert first == await noted()
    clock.advance(seconds=50)
    await fetch_feed(media, path)
    assert await noted() == first
    clock.advance(seconds=20)
    assert (await fetch_feed(media, path, **{"If-None-Match": etag})).status == 304
    assert await noted() - first > timedelta(minutes=1)


async def test_feed_token_is_in_no_log_line(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError

    with capture_logs() as logs:
        path = await create_feed(media)
        token = path.rpartition("/")[2].removesuffix(".ics")
        await fetch_feed(media, path)
        await fetch_feed(media, path.replace("/feed/", "/feeds/"))
        await fetch_feed(media, f"{path}x")
        monkeypatch.setattr(vcalendar, "write_calendar", fail)
        assert (await fetch_feed(media, path)).status == 500
    routes = [line["route"] for line in logs if line["event"] == "request.answered"]
    assert routes.count("/v1/media/feed/{token}.ics") == 2
    assert token not in str(logs)


async def test_feeds_are_written_off_the_loop_one_at_a_time(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        await create_feed(user) for user in (media, media.as_other_user(), media.as_other_user())
    ]
    write, loop, running = vcalendar.write_calendar, threading.current_thread(), list[int]()
    active = threading.Semaphore(1)

    def watched(*arguments: Any) -> bytes:
        assert threading.current_thread() is not loop
        assert active.acquire(blocking=False), "two are written at once"
        running.append(1)
        try:
            threading.Event().wait(0.02)
            return write(*arguments)
        finally:
            active.release()

    monkeypatch.setattr(vcalendar, "write_calendar", watched)
    answers = await asyncio.gather(*(fetch_feed(media, path) for path in paths * 2))
    assert [answer.status for answer in answers] == [200] * 6
    assert len(running) == 6


async def test_feed_whose_turn_does_not_come_is_503(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.feed.service.WAIT_SECONDS", 0.05)
    path, write, go = await create_feed(media), vcalendar.write_calendar, threading.Event()

    def hang(*arguments: Any) -> bytes:
        go.wait(10)
        return write(*arguments)

    monkeypatch.setattr(vcalendar, "write_calendar", hang)
    first = asyncio.create_task(fetch_feed(media, path))
    refused = await fetch_feed(media, path)
    go.set()
    codes = sorted([refused.status, (await first).status])
    assert codes == [200, 503]


async def test_feed_of_deleted_user_ends_and_cannot_be_made_again(
    media: MediaClient, media_db: Connection, redis: Redis
) -> None:
    path = await create_feed(media)
    await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)

    async def gone() -> bool:
        return (await fetch_feed(media, path)).status == 404

    await until(gone)
    again = await media.call("POST", "/feed")
    assert (again.status, again.code) == (401, "token_revoked")
    assert await media_db.fetchval("select count(*) from feeds") == 0


async def test_feed_requests_for_new_addresses_are_limited(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media(limit_changes_per_user="2/minute") as media:
        answers = [(await media.call("POST", "/feed")).status for _ in range(3)]
    assert answers == [201, 201, 429]
