"""Signed links: good for one file until they expire, and for nothing else."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.conftest import MEDIA_SECRET
from tests.support.clock import MovableClock
from tests.support.media_client import MEDIA, MediaClient

WEEK = 7 * 24 * 3600


async def link(media: MediaClient, creative: Any, **more: Any) -> Any:
    path = f"/creatives/{creative['id']}/link"
    answer = await media.call("POST", path, json={"expires_in": 60, **more})
    assert answer.status == HTTPStatus.OK, answer.body
    return answer.body


async def fetch(media: MediaClient, url: str, method: str = "GET", **headers: str) -> Any:
    """Ask without any token."""
    async with media.http.request(method, url, headers=headers) as response:
        return response.status, response.headers, await response.read()


async def test_link_serves_file_without_token_until_it_expires(
    media: MediaClient, clock: MovableClock
) -> None:
    creative = await media.upload()
    made = await link(media, creative)
    assert made["url"].startswith(f"{MEDIA}/creatives/{creative['id']}/file?")
    status, headers, body = await fetch(media, made["url"])
    assert (status, len(body)) == (200, creative["bytes"])
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["ETag"] == f'"{creative["sha256"]}"'
    assert (await fetch(media, made["url"], Range="bytes=0-3"))[2] == body[:4]
    assert (await fetch(media, made["url"], "HEAD"))[0] == 200
    known = {"If-None-Match": headers["ETag"]}
    assert (await fetch(media, made["url"], **known))[0] == 304
    clock.advance(seconds=61)
    status, _, body = await fetch(media, made["url"])
    assert (status, b"forbidden" in body) == (403, True)


async def test_link_for_another_file_or_altered_is_refused(media: MediaClient) -> None:
    creative, other = await media.upload(), await media.upload()
    url = (await link(media, creative, variant="thumb"))["url"]
    assert (await fetch(media, url))[1]["Content-Type"] == "image/webp"
    signature = parse_qs(urlsplit(url).query)["signature"][0]
    expires = parse_qs(urlsplit(url).query)["expires"][0]
    changed = [
        url.replace("thumb", "original"),
        url.replace("variant=thumb&", ""),
        url.replace(creative["id"], other["id"]),
        url.replace(creative["id"], str(uuid4())),
        url.replace(expires, str(int(expires) + 1)),
        url.replace(f"expires={expires}&", ""),
        url.replace(signature, signature[::-1]),
        url.replace(signature, ""),
        url.replace(signature, "%C3%A9"),
    ]
    assert [(await fetch(media, one))[0] for one in changed] == [403] * len(changed)
    assert (await fetch(media, url.replace(expires, "9" * 30)))[0] == 422
    assert (await fetch(media, url.replace(signature, "x" * 65)))[0] == 422
    assert (await fetch(media, url.partition("?")[0]))[0] == 401


async def test_link_of_deleted_creative_is_404(media: MediaClient) -> None:
    creative = await media.upload()
    url = (await link(media, creative))["url"]
    await media.call("DELETE", f"/creatives/{creative['id']}")
    assert (await fetch(media, url))[0] == 404


@pytest.mark.parametrize("seconds", [0, -1, WEEK + 1, 1.5, "60", None, True])
async def test_link_invalid_lifetime_is_422(media: MediaClient, seconds: object) -> None:
    path = f"/creatives/{uuid4()}/link"
    refused = await media.call("POST", path, json={"expires_in": seconds})
    assert (refused.status, refused.code) == (422, "validation_failed")


async def test_link_to_another_users_creative_is_404(media: MediaClient) -> None:
    creative = await media.upload()
    path = f"/creatives/{creative['id']}/link"
    refused = await media.as_other_user().call("POST", path, json={"expires_in": WEEK})
    assert refused.code == "not_found"
    assert (await media.call("POST", path, json={"expires_in": WEEK})).status == HTTPStatus.OK


async def test_link_after_secret_rotation_stays_valid(serving_media: Callable[..., Any]) -> None:
    new = "another-key-of-thirty-two-bytes-or-more"
    async with serving_media() as media:
        creative = await media.upload()
        url = (await link(media, creative))["url"]
    async with serving_media(media_secret_keys=f"{new},{MEDIA_SECRET}") as media:
        assert (await fetch(media, url))[0] == 200


async def test_link_signature_is_in_no_log_line(
    media: MediaClient, capsys: pytest.CaptureFixture[str]
) -> None:
    creative = await media.upload()
    url = (await link(media, creative))["url"]
    signature = parse_qs(urlsplit(url).query)["signature"][0]
    await fetch(media, url)
    await fetch(media, url.replace("thumb", "x").replace("original", "x"))
    captured = capsys.readouterr()
    assert "/file" in captured.out
    assert signature not in captured.out + captured.err
