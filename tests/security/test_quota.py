"""The quota counts every stored byte, and gives back exactly what it took."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from media_service.app import INTERFACE
from tests.conftest import REVOCATION_KEY
from tests.support.database import Connection
from tests.support.media_client import MediaClient, stored_files
from tests.support.pictures import encode
from tests.support.quota import (
    EXPANDING_PICTURE,
    UPLOADS,
    post_creative,
    post_product,
    put_photo,
    stored,
    usage,
    wait_for_usage,
)
from tests.support.tokens import tell_of_deleted
from tests.support.waiting import until

MULTIPART = "multipart/form-data"


def test_picture_routes_are_found_in_the_route_table() -> None:
    found = {
        f"{operation.method} {operation.path}"
        for operation in INTERFACE.operations
        if MULTIPART in {operation.body_type, *operation.other_bodies}
    }
    assert found == set(UPLOADS)


@pytest.mark.parametrize("route", UPLOADS)
async def test_quota_counts_variants_of_small_picture_exactly(
    media: MediaClient, database: Connection, files: Path, route: str
) -> None:
    for _ in range(10):
        answer = await UPLOADS[route](media, EXPANDING_PICTURE)
        assert answer.status in {200, 201}, answer.body
    assert await wait_for_usage(database, files, media.user_id) == stored(files, media.user_id)
    originals = sum(path.stat().st_size for path in stored_files(files))
    assert originals < stored(files, media.user_id) <= 3 * originals
    for original in stored_files(files):
        sizes = {path.name: path.stat().st_size for path in original.parent.iterdir()}
        assert max(sizes["preview"], sizes["thumb"]) <= sizes["original"]


@pytest.mark.parametrize("route", UPLOADS)
async def test_quota_deletion_releases_every_byte(
    media: MediaClient, database: Connection, files: Path, route: str
) -> None:
    for _ in range(3):
        assert (await UPLOADS[route](media, EXPANDING_PICTURE)).status in {200, 201}
    assert await usage(database, media.user_id) > 0
    for kind in ("creatives", "products"):
        for item in (await media.call("GET", f"/{kind}")).body["items"]:
            assert (await media.call("DELETE", f"/{kind}/{item['id']}")).status == 204
    assert await wait_for_usage(database, files, media.user_id) == 0
    assert await database.fetchval("select count(*) from counted_pictures") == 0


@pytest.mark.parametrize("route", UPLOADS)
async def test_quota_is_exact_to_the_byte_of_all_variants(
    serving_media: Callable[..., Any], database: Connection, files: Path, route: str
) -> None:
    async with serving_media() as media:
        await UPLOADS[route](media, EXPANDING_PICTURE)
        whole = await usage(database, media.user_id)
    for quota, status in ((2 * whole - 1, 413), (2 * whole, 201)):
        async with serving_media(user_quota_bytes=quota) as media:
            assert (await post_creative(media, EXPANDING_PICTURE)).status == 201
            refused = await UPLOADS[route](media, EXPANDING_PICTURE)
            assert refused.status in {status, 200 if status == 201 else status}
            assert await wait_for_usage(database, files, media.user_id) == (
                whole if status == 413 else 2 * whole
            )


async def test_quota_full_photo_replacement_releases_the_old_one_first(
    serving_media: Callable[..., Any], database: Connection, files: Path
) -> None:
    picture = encode("PNG", (640, 480), mode="RGB") + bytes(300_000)  # more than a form's framing
    async with serving_media() as media:
        await post_product(media, picture)
        whole = await usage(database, media.user_id)
    async with serving_media(user_quota_bytes=whole) as media:
        made = (await post_product(media, encode("PNG", (640, 480)))).body["id"]
        assert (await put_photo(media, encode("PNG", (640, 480), seed=1), made)).status == 200
        assert await wait_for_usage(database, files, media.user_id) == whole


async def test_quota_50_uploads_at_once_just_below_it_store_one(
    serving_media: Callable[..., Any], database: Connection, files: Path
) -> None:
    picture = encode()
    async with serving_media() as media:
        await post_creative(media, picture)
        whole = await usage(database, media.user_id)
    async with serving_media(user_quota_bytes=2 * whole - 1) as media:
        routes = [post_creative, post_product]
        sent = [routes[number % 2](media, picture) for number in range(50)]
        answers = await asyncio.gather(*sent)
        assert sorted(answer.status for answer in answers) == [201] + [413] * 49
        assert await wait_for_usage(database, files, media.user_id) == whole


@dataclass
class Shelf:
    """What a user has, and random things that are done with it."""

    media: MediaClient
    choose: random.Random
    creatives: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)

    def picture(self) -> bytes:
        kinds = ("JPEG", "PNG", "GIF", "WEBP")
        sides = self.choose.randint(1, 300), self.choose.randint(1, 300)
        picture = encode(self.choose.choice(kinds), sides, self.choose.randint(0, 9))
        return self.choose.choice([picture, picture, picture, EXPANDING_PICTURE, b"no picture"])

    async def step(self) -> None:
        actions = [self.create, self.offer, self.replace, self.delete, self.withdraw]
        await self.choose.choice(actions)()

    async def create(self) -> None:
        answer = await post_creative(self.media, self.picture())
        if answer.status == 201:
            self.creatives.append(answer.body["id"])

    async def offer(self) -> None:
        answer = await post_product(self.media, self.picture())
        if answer.status == 201:
            self.products.append(answer.body["id"])

    async def replace(self) -> None:
        if self.products:
            await put_photo(self.media, self.picture(), self.choose.choice(self.products))

    async def delete(self) -> None:
        if self.creatives:
            gone = self.choose.choice(self.creatives)
            await self.media.call("DELETE", f"/creatives/{gone}")

    async def withdraw(self) -> None:
        if self.products:
            gone = self.choose.choice(self.products)
            await self.media.call("DELETE", f"/products/{gone}")


@pytest.mark.parametrize("seed", range(4))
async def test_quota_usage_after_any_sequence_equals_stored_bytes(
    serving_media: Callable[..., Any], database: Connection, files: Path, seed: int
) -> None:
    choose = random.Random(seed)  # noqa: S311 - no secret
    async with serving_media(user_quota_bytes=150_000) as media:
        shelf = Shelf(media, choose)
        for _ in range(12):
            together = choose.randint(1, 4)
            await asyncio.gather(*(shelf.step() for _ in range(together)))
            assert await wait_for_usage(database, files, media.user_id) <= 150_000
        assert shelf.creatives or shelf.products


async def test_quota_usage_of_erased_user_is_zero(
    media: MediaClient, database: Connection, files: Path, redis: Redis
) -> None:
    for upload in UPLOADS.values():
        await upload(media, EXPANDING_PICTURE)
    assert await usage(database, media.user_id) > 0
    await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)

    async def gone() -> bool:
        return await usage(database, media.user_id) == 0

    await until(gone)
    assert await wait_for_usage(database, files, media.user_id) == 0
