"""A creative's file: conditions, ranges, readers that misbehave, files that are lost."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from blockbuster import blockbuster_ctx

from tests.support.media_client import MediaClient, files_below, part, stored_files
from tests.support.pictures import encode, grain
from tests.support.waiting import until


async def test_file_conditional_and_range_requests_are_answered(media: MediaClient) -> None:
    picture = encode("PNG", (90, 90))
    created = await media.upload(picture=picture)
    path, etag = f"/creatives/{created['id']}/file", f'"{created["sha256"]}"'

    async def ask(method: str = "GET", **headers: str) -> Any:
        return await media.call(
            method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    whole = await ask()
    assert whole.headers["ETag"] == etag
    assert whole.headers["Content-Type"] == "image/png"
    assert whole.headers["Content-Length"] == str(len(picture))
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Security-Policy"] == "sandbox"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in whole.headers["Vary"]
    known = await ask(If_None_Match=etag)
    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", etag)
    assert (await ask(If_None_Match='"other"')).status == 200
    assert (await ask(If_None_Match=f'{etag[:-1]}-gzip"')).status == 304
    some = await ask(Range="bytes=10-19")
    assert (some.status, some.body) == (206, picture[10:20])
    assert some.headers["Content-Range"] == f"bytes 10-19/{len(picture)}"
    assert (await ask(Range="bytes=-5")).body == picture[-5:]
    for to_the_end in ("bytes=0-", "bytes=0-999999"):
        every = await ask(Range=to_the_end)
        assert (every.status, every.body) == (206, picture)
        assert every.headers["Content-Range"] == f"bytes 0-{len(picture) - 1}/{len(picture)}"
    assert (await ask(Range="bytes=10-19", If_Range='"other"')).body == picture
    beyond = await ask(Range=f"bytes={len(picture)}-")
    assert (beyond.status, beyond.code) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(picture)}"
    head = await ask("HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(picture))
    assert head.headers["ETag"] == etag
    assert (await ask("HEAD", If_None_Match=etag)).status == 304


async def test_file_conditions_by_date_or_expected_tag_are_honoured(media: MediaClient) -> None:
    created = await media.upload()
    path, etag = f"/creatives/{created['id']}/file", f'"{created["sha256"]}"'
    date = (await media.call("HEAD", path)).headers["Last-Modified"]
    made_at = datetime.fromisoformat(created["created_at"])
    assert parsedate_to_datetime(date) == made_at.replace(microsecond=0)
    before = format_datetime(made_at - timedelta(seconds=2), usegmt=True)

    async def ask(method: str = "GET", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await media.call(method, path, headers=named)

    for method in ("GET", "HEAD"):
        assert (await ask(method, If_Modified_Since=date)).status == 304
        assert (await ask(method, If_Modified_Since=before)).status == 200
        for stale in ({"If_Match": '"other"'}, {"If_Unmodified_Since": before}):
            assert (await ask(method, **stale)).status == 412, stale
    for kept in ({"If_Match": f"W/{etag}"}, {"If_Match": "*"}, {"If_Unmodified_Since": date}):
        assert (await ask(**kept)).status == 200, kept
    assert (await ask(If_Match='"other"')).code == "version_mismatch"
    assert (await ask(If_None_Match='"other"', If_Modified_Since=date)).status == 200
    assert (await ask(If_Match=etag, If_Unmodified_Since=before)).status == 200
    assert (await ask(If_Modified_Since="tomorrow")).status == 200
    assert (await ask(Range="bytes=0-9", If_Range=date)).status == 206


@pytest.mark.parametrize(("condition", "status"), [("If-None-Match", 304), ("If-Match", 200)])
async def test_file_condition_in_two_header_lines_is_one_list(
    media: MediaClient, condition: str, status: int
) -> None:
    created = await media.upload()
    answer = await media.raw(
        f"GET /v1/media/creatives/{created['id']}/file HTTP/1.1\r\nHost: h\r\n"
        f'Authorization: Bearer {media.token}\r\n{condition}: "other"\r\n'
        f'{condition}: "{created["sha256"]}"\r\nConnection: close\r\n\r\n'.encode()
    )
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def test_file_behind_nginx_is_sent_by_x_accel_redirect(
    serving_media: Callable[..., Any], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving_media(x_accel_prefix="/accel/") as media:
        picture = encode("PNG", (90, 90))
        created = await media.upload(picture=picture)
        path, etag = f"/creatives/{created['id']}/file", f'"{created["sha256"]}"'
        granted = await media.call("GET", path, headers={"Range": "bytes=0-9"})
        assert (granted.status, granted.body) == (200, b"")
        place = f"/accel/{media.user_id}/{created['id']}/original"
        assert granted.headers["X-Accel-Redirect"] == place
        assert granted.headers["ETag"] == etag
        assert granted.headers["Content-Type"] == "image/png"
        assert granted.headers["Content-Security-Policy"] == "sandbox"
        known = await media.call("GET", path, headers={"If-None-Match": etag})
        assert (known.status, "X-Accel-Redirect" in known.headers) == (304, False)
        beyond = await media.call("GET", path, headers={"Range": f"bytes={len(picture)}-"})
        assert (beyond.code, "X-Accel-Redirect" in beyond.headers) == (
            "range_not_satisfiable",
            False,
        )
        stranger = await media.as_other_user().call("GET", path)
        assert (stranger.code, "X-Accel-Redirect" in stranger.headers) == ("not_found", False)
        stored_files(files)[0].unlink()
        lost = await media.call("GET", path)
        assert (lost.code, "X-Accel-Redirect" in lost.headers) == ("not_found", False)
        assert "file.missing" in capsys.readouterr().out


async def test_file_behind_nginx_with_if_match_is_sent_by_the_service(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media(x_accel_prefix="/accel/") as media:
        created = await media.upload()
        path, etag = f"/creatives/{created['id']}/file", f'"{created["sha256"]}"'
        date = (await media.call("HEAD", path)).headers["Last-Modified"]
        for headers in ({"If-Match": etag}, {"If-Match": "*"}, {"If-Unmodified-Since": date}):
            whole = await media.call("GET", path, headers=headers)
            assert (whole.status, "X-Accel-Redirect" in whole.headers) == (200, False), headers
            assert hashlib.sha256(whole.body).hexdigest() == created["sha256"]
        stale = await media.call("GET", path, headers={"If-Match": '"other"'})
        assert (stale.code, "X-Accel-Redirect" in stale.headers) == ("version_mismatch", False)


async def test_file_unknown_variant_is_422(media: MediaClient) -> None:
    path = f"/creatives/{(await media.upload())['id']}/file"
    assert (await media.call("GET", path, params={"variant": "original"})).status == 200
    for wrong in ("huge", "../original", ""):
        refused = await media.call("GET", path, params={"variant": wrong})
        assert (refused.status, refused.code) == (422, "validation_failed")


async def test_file_large_in_two_ranges_is_whole(media: MediaClient) -> None:
    created = await media.upload(picture=grain(1000))
    path = f"/creatives/{created['id']}/file"
    half = created["bytes"] // 2
    first = await media.call("GET", path, headers={"Range": f"bytes=0-{half - 1}"})
    second = await media.call("GET", path, headers={"Range": f"bytes={half}-"})
    assert hashlib.sha256(first.body + second.body).hexdigest() == created["sha256"]


async def test_file_missing_on_disk_is_404_and_logged(
    media: MediaClient, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    created = await media.upload()
    stored_files(files)[0].unlink()
    lost = await media.call("GET", f"/creatives/{created['id']}/file")
    assert lost.code == "not_found"
    assert "file.missing" in capsys.readouterr().out
    assert (await media.call("DELETE", f"/creatives/{created['id']}")).status == 204


async def large_file(media: MediaClient) -> bytes:
    """Upload 9 MB and return a request for it, which no socket's buffers can swallow."""
    created = await media.upload(picture=grain(1740))
    head = f"GET {created['file_url']} HTTP/1.1\r\nHost: localhost\r\n"
    return f"{head}Authorization: Bearer {media.token}\r\n\r\n".encode()


async def test_file_reader_that_disconnects_is_logged_and_harmless(
    media: MediaClient, capsys: pytest.CaptureFixture[str]
) -> None:
    request = await large_file(media)
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(request)
    assert await reader.readexactly(10) == b"HTTP/1.1 2"
    writer.transport.abort()
    await until(lambda: "file.sending_ended_early" in capsys.readouterr().out)
    assert (await media.call("GET", "/creatives")).status == 200


async def test_file_reader_that_stalls_is_disconnected(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("media_service.picture.file_response.WRITE_SECONDS", 0.2)
    request = await large_file(media)
    loop, received = asyncio.get_running_loop(), 0
    with socket.create_connection(media.address) as connection:
        connection.setblocking(False)
        await loop.sock_sendall(connection, request)
        async with asyncio.timeout(5):
            await until(lambda: "file.sending_ended_early" in capsys.readouterr().out)
            with contextlib.suppress(ConnectionResetError):
                while chunk := await loop.sock_recv(connection, 1 << 20):
                    received += len(chunk)
    assert received < 9_000_000


async def test_file_removal_that_fails_is_retried_later(
    media: MediaClient,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    media_dsn: str,
) -> None:
    path = f"/creatives/{(await media.upload())['id']}"

    def refuse(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr("media_service.storage.local._remove", refuse)
    monkeypatch.setattr("media_service.picture.file_deleter.POLL_SECONDS", 0.1)
    assert (await media.call("DELETE", path)).status == 204
    await until(lambda: "file.removal_failed" in capsys.readouterr().out)
    assert (await media.call("GET", path)).status == 404
    assert len(files_below(files)) == 3
    monkeypatch.undo()
    connection = await asyncpg.connect(media_dsn)
    await connection.execute("UPDATE removals SET due_at = now()")
    async with asyncio.timeout(10):
        await until(lambda: not files_below(files))
        while await connection.fetchval("SELECT count(*) FROM removals"):
            await asyncio.sleep(0.01)
    await connection.close()


async def test_media_service_requests_never_block_the_loop(
    serving_media: Callable[..., Any],
) -> None:
    with blockbuster_ctx("media_service"):
        async with serving_media() as media:
            created = await media.upload(part("timezone", "Asia/Kolkata"))
            path = f"/creatives/{created['id']}"
            assert (await media.call("GET", f"{path}/file")).status == 200
            assert (await media.call("GET", "/scheduled?timezone=Europe/Oslo")).status == 200
            assert (await media.call("GET", "/creatives")).status == 200
            assert (await media.call("DELETE", path)).status == 204
