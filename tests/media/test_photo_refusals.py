"""What may be wrong with a photo's upload, by both routes that take one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.conftest import REVOCATION_KEY
from tests.media.test_identity import session_of
from tests.media.test_photos import (
    FIELDS,
    PICTURE,
    create,
    photo,
    put,
    send,
    view,
)
from tests.support.auth_client import Answer
from tests.support.hostile_pictures import TOO_LARGE
from tests.support.media_client import FORM, MediaClient, files_below, form, part
from tests.support.tokens import revoke_session

ROUTES = ["POST", "PUT"]


class Seller:
    """Somebody with one product, who sends the photo of another one or replaces the first one's."""

    def __init__(self, media: MediaClient, product: Any) -> None:
        self.media = media
        self.product = product

    def form(self, method: str, picture: bytes) -> bytes:
        return form(photo(picture), *(FIELDS if method == "POST" else ()))

    async def ask(self, method: str, data: Any) -> Answer:
        path = "/products" if method == "POST" else f"/products/{self.product['id']}/photo"
        body = BytesIO(data) if isinstance(data, bytes) else data
        return await self.media.call(method, path, data=body, headers=FORM)

    async def as_before(self) -> None:
        """Check that nothing was kept, and that the photo is the old one."""
        listed = await self.media.call("GET", "/products")
        assert listed.body["items"] == [self.product]
        assert (await view(self.media, self.product)).status == 200


@pytest.mark.parametrize("method", ROUTES)
async def test_photo_too_many_pixels_is_422_and_changes_nothing(
    media: MediaClient, files: Path, method: str
) -> None:
    seller = Seller(media, await create(media))
    before = files_below(files)
    for picture in TOO_LARGE.values():
        refused = await seller.ask(method, seller.form(method, picture))
        assert (refused.status, refused.code) == (422, "image_too_large")
    await seller.as_before()
    assert files_below(files) == before


@pytest.mark.parametrize("method", ROUTES)
async def test_photo_file_too_large_is_413_and_changes_nothing(
    serving_media: Callable[..., Any], method: str
) -> None:
    async with serving_media(max_upload_bytes=65_536) as media:
        seller = Seller(media, await create(media))
        refused = await seller.ask(method, seller.form(method, bytes(70_000)))
        assert (refused.status, refused.code) == (413, "body_too_large")
        await seller.as_before()


@pytest.mark.parametrize("method", ROUTES)
async def test_photo_client_too_slow_is_408_and_changes_nothing(
    serving_media: Callable[..., Any], method: str
) -> None:
    async with serving_media(limits={"patience": 0.4, "min_rate": 100}) as media:
        seller = Seller(media, await create(media))

        async def drops() -> AsyncIterator[bytes]:
            for byte in seller.form(method, PICTURE)[:100]:
                yield bytes([byte])
                await asyncio.sleep(0.1)

        refused = await seller.ask(method, drops())
        assert (refused.status, refused.code) == (408, "upload_too_slow")
        await seller.as_before()


@pytest.mark.parametrize("method", ROUTES)
async def test_photo_disk_full_is_507_and_changes_nothing(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    seller = Seller(media, await create(media))

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        refused = await seller.ask(method, seller.form(method, PICTURE))
    assert (refused.status, refused.code) == (507, "storage_full")
    await seller.as_before()
    taken = await seller.ask(method, seller.form(method, PICTURE))
    assert taken.status in {200, 201}


async def test_daily_uploads_count_photo_puts(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media(user_uploads_per_day=2) as media:
        made = await create(media)
        assert (await put(media, made, photo())).status == 200
        refused = await put(media, made, photo())
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert (await send(media, photo(), *FIELDS)).code == "rate_limited"


async def test_hidden_photo_with_revoked_token_is_401(media: MediaClient, redis: Redis) -> None:
    hidden = await create(media, part("visibility", "hidden"))
    path = f"/products/{hidden['id']}/photo"
    seen = await media.call("HEAD", path)
    assert seen.status == 200
    unchanged = await media.call("HEAD", path, headers={"If-None-Match": seen.headers["ETag"]})
    assert unchanged.status == 304
    await revoke_session(redis, session_of(media), REVOCATION_KEY)
    async with asyncio.timeout(10):
        while (answer := await media.call("GET", path)).status == 200:
            await asyncio.sleep(0.01)
    assert (answer.status, answer.code) == (401, "token_revoked")
    assert (await media.call("HEAD", path)).status == 401
