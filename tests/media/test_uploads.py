"""Uploads as hostile, broken and slow clients send them: each row of the multipart table."""

import asyncio
import gzip
import json
import os
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.media_client import (
    BOUNDARY,
    FORM,
    MediaClient,
    day,
    files_below,
    form,
    part,
    picture_form,
    stored_files,
)
from tests.support.pictures import encode
from tests.support.waiting import until

MIB = 1024 * 1024


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code(answer: bytes) -> str:
    body = answer.partition(b"\r\n\r\n")[2]
    assert b"application/problem+json" in answer
    return str(json.loads(body[: body.rindex(b"}") + 1])["code"])


async def nothing_kept(media: MediaClient, files: Path) -> bool:
    return files_below(files) == [] and (await media.call("GET", "/creatives")).body["items"] == []


async def test_upload_10000_parts_is_refused_at_the_ninth(media: MediaClient, files: Path) -> None:
    body = form(*[part(f"p{n}", "") for n in range(10_000)])
    assert (await media.send(body)).code == "body_too_large"
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(media.head(length=len(body)) + body[: body.index(b'"p9"')])  # and no more
    async with asyncio.timeout(8):
        answer = await reader.readuntil(b"}")
    assert (status(answer), code(answer)) == (413, "body_too_large")
    writer.transport.abort()
    assert await nothing_kept(media, files)


async def test_upload_nine_parts_is_413(media: MediaClient) -> None:
    assert (await media.send(form(*[part("title", "")] * 9))).code == "body_too_large"
    assert (await media.send(form(*[part("title", "")] * 8))).code == "validation_failed"


async def test_upload_larger_than_limit_is_413(
    serving_media: Callable[..., Any], files: Path
) -> None:
    async with serving_media(max_upload_bytes=MIB) as media:
        fits = encode("PNG") + b"\0" * (MIB - len(encode("PNG")))
        assert (await media.send(picture_form(fits))).status == 201
        over = await media.send(picture_form(fits + b"\0"))
        assert (over.status, over.code) == (413, "body_too_large")
        announced = await media.raw(media.head("Connection: close", length=30 * MIB))
        assert (status(announced), code(announced)) == (413, "body_too_large")
        assert b"a file has at most 1 MB, and this one has 31.5 MB" in announced
        assert len(stored_files(files)) == 1


async def test_upload_endless_body_is_answered_drained_and_closed(
    serving_media: Callable[..., Any], files: Path
) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    async with serving_media(max_upload_bytes=MIB) as media:
        reader, writer = await asyncio.open_connection(*media.address)
        writer.write(media.head("Transfer-Encoding: chunked"))
        first = part("file", b"", '; filename="a.png"')[:-2]
        writer.write(b"%x\r\n%b\r\n" % (len(first), first))

        async def flood() -> None:
            while True:
                writer.write(chunk)
                await writer.drain()

        flooding = asyncio.create_task(flood())
        async with asyncio.timeout(20):  # a flood that is never cut off never ends
            answer = await reader.readuntil(b"}")
            assert status(answer) == 413
            with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe, as the kernel has it
                await flooding
        writer.close()
        assert files_below(files) == []


async def test_upload_limit_counts_bytes_outside_of_files(
    serving_media: Callable[..., Any], files: Path
) -> None:
    """Not announced: a length would be refused unread."""
    much = b"x" * 2 * MIB

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(body), 1000_000):
            yield body[at : at + 1000_000]

    async with serving_media(max_upload_bytes=MIB) as media:
        for body in (form(part("more", much)), form(part("title", much)), picture_form() + much):
            over = await media.call("POST", "/creatives", data=pieces(body), headers=FORM)
            assert (over.status, over.code) == (413, "body_too_large")
        assert await nothing_kept(media, files)


async def test_upload_content_encoding_is_415_unread(media: MediaClient) -> None:
    bomb = gzip.compress(bytes(20 * MIB))
    for encoding, body in (("gzip", bomb), ("deflate", zlib.compress(b"x"))):
        refused = await media.send(body, headers={"Content-Encoding": encoding})
        assert (refused.status, refused.code) == (415, "unsupported_media_type")
        assert refused.headers["Accept-Encoding"] == "identity"


async def test_upload_encoded_by_identity_is_not_encoded(media: MediaClient) -> None:
    sent = await media.send(picture_form(), headers={"Content-Encoding": "identity"})
    assert sent.status == 201


async def test_upload_other_content_type_is_415(media: MediaClient) -> None:
    for kind in ("application/json", "multipart/mixed; boundary=a", "text/plain", "image/jpeg"):
        refused = await media.send(encode(), headers={"Content-Type": kind})
        assert (refused.status, refused.code) == (415, "unsupported_media_type")


BROKEN = {
    "wrong boundary": picture_form().replace(BOUNDARY.encode(), b"elsewhere"),
    "no parts": b"",
    "truncated": picture_form()[:-200],
    "no closing boundary": form(part("file", encode()), part("scheduled_at", day()))[:-14],
    "two file names": form(part("file", encode(), '; filename="a"; filename="b"')),
    "NUL in the name": form(part("file", encode(), '; filename="a\0.png"')),
    "encoded NUL in the name": form(part("file", encode(), "; filename*=UTF-8''a%00.png")),
    "broken header": form(part("file", encode(), head=b"no colon here\r\n")),
    "header with line end": form(part("file", encode(), '; filename="a\r\nX: b.png"')),
    "header without end": b"--frontier\r\nContent-Disposition: form-data; name=file",
    "endless header": form(part("file", encode(), head=b"X: " + b"y" * 9000 + b"\r\n")),
    "part without name": form(b"--frontier\r\n\r\nhello\r\n"),
    "base64 part": form(part("file", encode(), head=b"Content-Transfer-Encoding: base64\r\n")),
    "gzip part": form(part("file", encode(), head=b"Content-Encoding: gzip\r\n")),
    "nested parts": form(
        part("file", b"--x--", head=b"Content-Type: multipart/mixed; boundary=x\r\n")
    ),
    "endless preamble": b"\r\n" * 500_000 + picture_form(),
}


async def test_upload_malformed_form_is_400(media: MediaClient, files: Path) -> None:
    for name, body in BROKEN.items():
        refused = await media.send(body)
        assert (refused.status, refused.code) == (400, "malformed_request"), name
    for content_type in ("multipart/form-data", "multipart/form-data; boundary="):
        refused = await media.send(picture_form(), headers={"Content-Type": content_type})
        assert (refused.status, refused.code) == (400, "malformed_request")
    assert await nothing_kept(media, files)


async def test_upload_disconnected_leaves_nothing(media: MediaClient, files: Path) -> None:
    body = picture_form()
    _, writer = await asyncio.open_connection(*media.address)
    writer.write(media.head(length=len(body) + 100) + body[:-5])
    await writer.drain()
    async with asyncio.timeout(5):
        await until(lambda: files_below(files))
        writer.close()
        await until(lambda: not files_below(files))
    assert await nothing_kept(media, files)


async def test_upload_malformed_chunks_are_400(media: MediaClient, files: Path) -> None:
    answer = await media.raw(media.head("Transfer-Encoding: chunked"), b"5\r\nhello\r\nzz\r\n")
    assert status(answer) == 400
    assert await nothing_kept(media, files)


NAMES = {
    '; filename="../../etc/passwd"': "passwd.jpg",
    '; filename="..\\"': "image.jpg",
    f'; filename="{"x" * 300}.jpg"': "x" * 100 + ".jpg",
    '; filename="a%0d%0aSet-Cookie: b.jpg"': "a Set-Cookie_ b.jpg",
    '; filename="a%0D%0ASet-Cookie: b.jpg"': "a Set-Cookie_ b.jpg",
    "; filename*=UTF-8''%e2%82%ac%20rates.png": "€ rates.jpg",
    '; filename="山田\N{IDEOGRAPHIC SPACE}太郎.png"': "山田\N{IDEOGRAPHIC SPACE}太郎.jpg",
    '; filename="نگار\N{ZERO WIDTH NON-JOINER}نژاد.png"': "نگار\N{ZERO WIDTH NON-JOINER}نژاد.jpg",
    '; filename=""': "image.jpg",
    '; filename="my%20photo.jpg"': "my photo.jpg",
    '; filename="..%2f..%2fetc%2fpasswd"': "passwd.jpg",
    "; filename=\"a.png\"; filename*=iso-8859-1''%e9%2.png": "é_2.jpg",
    ';\r\n filename="the "best" one.png"': "the _best_ one.jpg",
    "": "image.jpg",
}


async def test_upload_any_filename_is_accepted_and_served_cleaned(
    media: MediaClient, files: Path
) -> None:
    names = {more.encode(): shown for more, shown in NAMES.items()}
    names[b'; filename="\xff\xfe.jpg"'] = "\ufffd\ufffd.jpg"
    for more, shown in names.items():
        answer = await media.send(form(part("file", encode(), more), part("scheduled_at", day())))
        assert answer.status == 201, (more, answer.body)
        file = await media.call("HEAD", f"/creatives/{answer.body['id']}/file")
        disposition = file.headers["Content-Disposition"]
        assert disposition.isascii()
        kind, plain, extended = disposition.split("; ")
        assert kind == "inline"
        assert plain.count('"') == 2
        encoded = extended.removeprefix("filename*=UTF-8''")
        assert unquote(encoded) == shown
    assert {path.name for path in files_below(files)} == {"original", "preview", "thumb"}


async def test_upload_slower_than_minimum_rate_is_408(
    serving_media: Callable[..., Any], files: Path
) -> None:
    async with serving_media(limits={"patience": 0.4, "min_rate": 100}) as media:
        body = picture_form()
        reader, writer = await asyncio.open_connection(*media.address)
        writer.write(media.head("Connection: close", length=len(body)))
        sent = 0
        async with asyncio.timeout(8):
            answer = asyncio.create_task(reader.readuntil(b"}"))
            while not answer.done():
                writer.write(body[sent : sent + 1])
                sent += 1
                await asyncio.wait([answer], timeout=0.1)
        assert (status(await answer), code(await answer)) == (408, "upload_too_slow")
        assert 3 <= sent < 40
        writer.close()
        assert await nothing_kept(media, files)


async def test_upload_slow_above_minimum_rate_succeeds(serving_media: Callable[..., Any]) -> None:
    async with serving_media(limits={"patience": 0.4, "min_rate": 100}) as media:
        body = picture_form()
        pieces = [body[at : at + 100] for at in range(0, len(body), 100)]

        async def trickle() -> AsyncIterator[bytes]:
            for piece in pieces:
                await asyncio.sleep(0.05)
                yield piece

        assert len(pieces) * 0.05 > 0.4
        answer = await media.call("POST", "/creatives", data=trickle(), headers=FORM)
        assert answer.status == 201


async def test_upload_slow_clients_hold_no_reading_slot(
    serving_media: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.app.MAX_READING_CHUNKS", 2)
    async with serving_media() as media:
        body = picture_form()
        waiting = []
        for _ in range(8):
            _, writer = await asyncio.open_connection(*media.address)
            writer.write(media.head(length=len(body)) + body[:100])
            await writer.drain()
            waiting.append(writer)
        async with asyncio.timeout(5):
            assert (await media.send(body)).status == 201
        for writer in waiting:
            writer.close()


async def test_upload_invalid_token_is_401_unread(media: MediaClient) -> None:
    head = media.head(length=10 * MIB).replace(b"Bearer ey", b"Bearer no")
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(head)
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"}")
    assert (status(answer), code(answer)) == (401, "token_invalid")
    writer.close()


async def test_upload_short_writes_store_every_byte(
    media: MediaClient, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    monkeypatch.setattr("os.write", lambda fd, data: whole(fd, bytes(data)[:100]))
    picture = encode("PNG", (200, 200))
    created = await media.upload(picture=picture)
    assert stored_files(files)[0].read_bytes() == picture
    assert created["bytes"] == len(picture)
