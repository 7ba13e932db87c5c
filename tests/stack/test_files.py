"""A file that nginx sends is answered as media_service would have answered itself."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.stack.stack import Stack
from tests.stack.test_journey import number
from tests.support.auth_client import Answer, AuthClient, read
from tests.support.media_client import FORM, picture_form


@dataclass
class Kept:
    """An upload, and its owner's way to it."""

    http: ClientSession
    made: dict[str, Any]
    user_id: str
    token: str

    @property
    def etag(self) -> str:
        return f'"{self.made["sha256"]}"'

    async def ask(self, method: str = "GET", path: str = "", **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Authorization", f"Bearer {self.token}")
        url = path or self.made["file_url"]
        async with self.http.request(method, url, headers=given) as response:
            return await read(response)


@pytest.fixture
async def kept(http: ClientSession) -> AsyncIterator[Kept]:
    auth = AuthClient(http)
    pair = await auth.sign_in(number())
    headers = {"Authorization": f"Bearer {pair['access_token']}", **FORM}
    async with http.post("/v1/media/creatives", data=picture_form(), headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        yield Kept(http, await answer.json(), pair["user"]["id"], pair["access_token"])


async def test_file_through_gateway_has_every_header(kept: Kept) -> None:
    whole = await kept.ask()
    assert whole.status == 200
    assert hashlib.sha256(whole.body).hexdigest() == kept.made["sha256"]
    expected = {
        "ETag": kept.etag,
        "Content-Type": "image/jpeg",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie, Origin",
        "Accept-Ranges": "bytes",
        "Referrer-Policy": "no-referrer",
    }
    assert {name: whole.headers[name] for name in expected} == expected
    assert whole.headers["Content-Disposition"].startswith('inline; filename="photo.jpg"')
    assert "X-Request-ID" in whole.headers
    made_at = datetime.fromisoformat(kept.made["created_at"]).replace(microsecond=0)
    assert parsedate_to_datetime(whole.headers["Last-Modified"]) == made_at
    assert not [name for name in whole.headers if name.lower().startswith("x-accel")]


async def test_file_through_gateway_honours_conditions_and_ranges(kept: Kept) -> None:
    data = (await kept.ask()).body
    some = await kept.ask(Range="bytes=5-14")
    assert (some.status, some.body) == (206, data[5:15])
    assert some.headers["Content-Range"] == f"bytes 5-14/{len(data)}"
    assert some.headers["ETag"] == kept.etag
    same = await kept.ask(Range="bytes=5-14", If_Range=kept.etag)
    assert (same.status, same.body) == (206, data[5:15])
    other = await kept.ask(Range="bytes=5-14", If_Range='"another"')
    assert (other.status, other.body) == (200, data)
    several = await kept.ask(Range="bytes=0-1,4-5")
    assert (several.status, several.body) == (200, data)
    beyond = await kept.ask(Range=f"bytes={len(data)}-")
    assert (beyond.status, beyond.code) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(data)}"
    known = await kept.ask(If_None_Match=kept.etag)
    assert (known.status, known.headers["ETag"]) == (304, kept.etag)
    assert (await kept.ask(If_None_Match='"another"')).body == data
    right = await kept.ask(If_Match=kept.etag)
    assert (right.status, right.body) == (200, data)
    stale = await kept.ask(If_Match='"another"')
    assert (stale.status, stale.code) == (412, "version_mismatch")
    date = right.headers["Last-Modified"]
    assert (await kept.ask(If_Modified_Since=date)).status == 304
    assert (await kept.ask(Range="bytes=5-14", If_Range=date)).body == data[5:15]
    head = await kept.ask("HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(data)))


async def test_internal_file_path_is_404_from_outside(stack: Stack, kept: Kept) -> None:
    inner = f"/accel/{kept.user_id}/{kept.made['id']}/original"
    granted = await kept.ask(path=stack.addresses("media_service")[0] + kept.made["file_url"])
    assert (granted.headers["X-Accel-Redirect"], granted.body) == (inner, b"")  # nginx sends it
    stored = inner.replace("/accel/", "/files/objects/")
    assert stack.execute(stack.one("gateway"), "test", "-s", stored)[0] == 0
    for path in (inner, "/accel/", "/accel/../accel/", "/files/objects/"):
        assert (await kept.ask(path=path)).code == "not_found"
    assert (await kept.ask(Authorization="none")).status == 401
