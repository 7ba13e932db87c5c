"""POST /creatives with an Idempotency-Key: however often, however cut, whoever dies, once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientError

from media_service.idempotency import repository
from media_service.idempotency.model import IdempotencyKey, StoredResponse
from shared.db import open_database
from tests.support.auth_client import Answer
from tests.support.clock import MovableClock
from tests.support.command_process import KillPoint, wait_for_exit
from tests.support.injection_texts import INJECTIONS
from tests.support.media_client import FORM, MediaClient, day, form, part, picture_form
from tests.support.pictures import encode

PICTURE = encode()
DAY = day()


def keyed(key: str = "a key") -> dict[str, str]:
    return {"Idempotency-Key": key}


async def send(media: MediaClient, number: int = 0, key: str = "a key", **options: Any) -> Answer:
    """The usual form under a boundary of its own."""
    boundary = f"boundary-{number}"
    body = picture_form(PICTURE, when=DAY).replace(b"frontier", boundary.encode())
    headers = keyed(key) | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return await media.send(body, headers=headers, **options)


async def send_until_done(media: MediaClient, number: int) -> tuple[Answer, int]:
    """The answer once it is no 409, and how often it was."""
    for times in range(1000):
        answer = await send(media, number)
        if answer.status != 409:
            return answer, times
        assert answer.code == "request_in_progress"
        await asyncio.sleep(float(answer.headers["Retry-After"]) / 20)
    raise AssertionError


async def count(media: MediaClient) -> int:
    return len((await media.call("GET", "/creatives")).body["items"])


async def test_idempotency_20_requests_at_once_create_one_creative(media: MediaClient) -> None:
    done = await asyncio.gather(*(send_until_done(media, number) for number in range(20)))
    answers = [answer for answer, _ in done]
    assert {answer.status for answer in answers} == {201}
    assert len({str(answer.body) for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert {answer.headers["ETag"] for answer in answers} == {'"1"'}
    assert await count(media) == 1


async def test_idempotency_response_is_replayed_for_24_hours(
    media: MediaClient, clock: MovableClock
) -> None:
    first = await send(media)
    path = f"/creatives/{first.body['id']}"
    await media.call("PATCH", path, json={"title": "x"}, headers={"If-Match": "*"})
    assert (await send(media, 1)).body == first.body
    await media.call("DELETE", path)
    media = await media.wait_out(clock, hours=23, minutes=59)
    assert (await send(media, 2)).body == first.body
    assert await count(media) == 0
    media = await media.wait_out(clock, minutes=2)
    again = await send(media, 3)
    assert (again.status, await count(media)) == (201, 1)
    assert again.body["id"] != first.body["id"]


async def test_idempotency_key_with_another_request_is_422(media: MediaClient) -> None:
    first = await send(media)
    file, when = part("file", PICTURE), part("scheduled_at", DAY)
    others = [
        form(part("file", encode(seed=2)), when),
        form(file, part("scheduled_at", day(9))),
        form(file, when, part("title", "x")),
        form(file, when, part("timezone", "Asia/Kolkata")),
    ]
    for body in others:
        refused = await media.send(body, headers=keyed())
        assert (refused.status, refused.code) == (422, "idempotency_mismatch")
    renamed = form(when, part("timezone", "UTC"), part("file", PICTURE, '; filename="b.png"'))
    assert (await media.send(renamed, headers=keyed())).body == first.body
    assert await count(media) == 1


async def test_idempotency_key_of_two_users_creates_two_creatives(media: MediaClient) -> None:
    other = media.as_other_user()
    first, second = await send(media), await send(other)
    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]
    assert (await send(media, key="another key")).body["id"] != first.body["id"]


@asynccontextmanager
async def half_sent(media: MediaClient, dsn: str) -> AsyncIterator[Callable[[], Any]]:
    """A request under the key that has its place among uploads; yields what sends the rest."""
    body = picture_form(PICTURE, when=DAY)
    go = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:100]
        await go.wait()
        yield body[100:]

    sending = asyncio.create_task(
        media.call("POST", "/creatives", data=pieces(), headers=FORM | keyed())
    )
    connection = await asyncpg.connect(dsn)
    async with asyncio.timeout(10):
        while not await connection.fetchval("select count(*) from owners where under_way <> '{}'"):
            await asyncio.sleep(0.01)
    await connection.close()

    async def rest() -> Answer:
        go.set()
        return await sending

    yield rest


async def test_idempotency_key_in_progress_is_409_unread(
    media: MediaClient, media_dsn: str
) -> None:
    async with half_sent(media, media_dsn) as rest:
        told = await media.raw(media.head("Idempotency-Key: a key", length=1000))
        assert told.startswith(b"HTTP/1.1 409 ")
        assert b"request_in_progress" in told
        created = await rest()
    assert (created.status, (await send(media)).body) == (201, created.body)


async def test_idempotency_refused_request_frees_the_key(media: MediaClient) -> None:
    refused = await media.send(picture_form(b"no picture", when=DAY), headers=keyed())
    assert refused.code == "unsupported_image"
    malformed = await media.send(b"--frontier--", headers=keyed())
    assert malformed.status in {400, 422}
    assert (await send(media)).status == 201


async def test_idempotency_replay_counts_for_no_limit(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media(user_uploads_per_day=1, user_quota_bytes=3 * len(PICTURE)) as media:
        first = await send(media)
        assert first.status == 201
        assert (await send(media, key="another")).status in {413, 429}
        assert (await send(media, 1)).body == first.body


STORE_RESPONSE = "media_service.idempotency.repository.store_response"
MOMENTS = {
    "reading": KillPoint("media_service.storage.temp_file.TempFile.digest"),
    "decoding": KillPoint("media_service.image.worker.pool.DecoderPool.render"),
    "before the row": KillPoint("media_service.creative.repository.insert"),
    "before the answer": KillPoint("media_service.idempotency.repository.store_response"),
    "before the commit": KillPoint(
        "media_service.idempotency.repository.store_response", leaving=True
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_idempotency_key_of_killed_request_is_freed_after_its_lease(
    moment: str,
    running_media: Callable[..., Any],
    serving_media: Callable[..., Any],
    clock: MovableClock,
) -> None:
    async with running_media(MOMENTS[moment]) as (process, dead):
        with pytest.raises(ClientError):
            await send(dead)
        await wait_for_exit(process)
    async with serving_media() as other:
        media = MediaClient.of(other.http, other.mint, dead.user_id)
        assert (await send(media)).code == "request_in_progress"
    clock.advance(seconds=151)
    async with serving_media() as other:
        media = MediaClient.of(other.http, other.mint, dead.user_id)
        made = await send(media, 1)
        assert (made.status, await count(media)) == (201, 1)
        assert (await send(media, 2)).body == made.body


async def test_idempotency_request_killed_after_commit_is_replayed(
    running_media: Callable[..., Any], serving_media: Callable[..., Any]
) -> None:
    death = KillPoint("media_service.storage.temp_file.TempFile.close_and_delete")
    async with running_media(death) as (process, dead):
        with pytest.raises(ClientError):
            await send(dead)
        await wait_for_exit(process)
    async with serving_media() as other:
        media = MediaClient.of(other.http, other.mint, dead.user_id)
        made = await send(media, 1)
        assert (made.status, await count(media)) == (201, 1)
        assert (await media.call("GET", made.headers["Location"][9:])).body == made.body


async def test_idempotency_request_past_its_lease_stores_nothing(
    serving_media: Callable[..., Any], clock: MovableClock, media_dsn: str
) -> None:
    async with (
        serving_media({"patience": 10_000.0}) as media,
        half_sent(media, media_dsn) as rest,
    ):
        assert (await send(media)).code == "request_in_progress"
        later = await media.wait_out(clock, seconds=151)
        made = await send(later, 1)
        late = await rest()
        assert (made.status, late.code) == (201, "request_in_progress")
        assert await count(later) == 1
        assert (await send(later, 2)).body == made.body


async def test_idempotency_lease_renewed_keeps_the_key(media_dsn: str, clock: MovableClock) -> None:
    first, second = (IdempotencyKey(UUID(int=0), "r", "k", UUID(int=n)) for n in (1, 2))
    answer = StoredResponse(b"", "{}", "/")
    now = clock.now()
    later = now + timedelta(seconds=149)
    async with open_database(media_dsn) as database, database.connection() as connection:
        assert await repository.claim(connection, first, now)
        await repository.renew(connection, first, later)
        assert not await repository.claim(connection, second, later + timedelta(seconds=149))
        assert await repository.claim(connection, second, later + timedelta(seconds=150))
        await repository.release(connection, first)
        assert not await repository.store_response(connection, first, answer)
        assert await repository.find_response(connection, second) is None
        assert await repository.store_response(connection, second, answer)
        assert not await repository.store_response(connection, second, answer)
        assert await repository.find_response(connection, first) == answer
        await repository.delete_expired(connection, now + timedelta(hours=23))
        assert await repository.find_response(connection, first) == answer
        await repository.delete_expired(connection, later + timedelta(hours=25))
        assert await repository.find_response(connection, first) is None


async def test_idempotency_upload_in_progress_renews_its_leases(
    serving_media: Callable[..., Any],
    media_dsn: str,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for service in ("idempotency", "quota"):
        monkeypatch.setattr(f"media_service.{service}.service.RENEW_SECONDS", 0.02)
    connection = await asyncpg.connect(media_dsn)
    leases = """
        select least(leased_until, to_timestamp((jsonb_each_text(under_way)).value::float8))
        from idempotency_keys join owners using (user_id)
    """
    async with (
        serving_media({"patience": 10_000.0}) as media,
        half_sent(media, media_dsn) as rest,
    ):
        clock.advance(seconds=1000)
        async with asyncio.timeout(10):
            while await connection.fetchval(leases) < clock.now():
                await asyncio.sleep(0.01)
        await media.wait_out(clock, seconds=1)
        assert (await rest()).status == 201
    await connection.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb"])
async def test_idempotency_invalid_key_is_400(media: MediaClient, key: str) -> None:
    line = f"Idempotency-Key: {key}"
    told = await media.raw(media.head(line, "Connection: close", length=0))
    assert told.startswith(b"HTTP/1.1 400 ")


async def test_idempotency_two_keys_are_400(media: MediaClient) -> None:
    lines = ("Idempotency-Key: a", "Idempotency-Key: b", "Connection: close")
    told = await media.raw(media.head(*lines, length=0))
    assert told.startswith(b"HTTP/1.1 400 ")


async def test_idempotency_any_printable_key_is_accepted(media: MediaClient) -> None:
    printable = [text for text in INJECTIONS if text.isascii()]
    for key in (*printable, "x" * 255):
        first = await send(media, key=key)
        assert first.status == 201
        assert (await send(media, 1, key=key)).body == first.body
