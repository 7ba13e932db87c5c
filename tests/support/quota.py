"""Uploads through every route, and the bytes that are stored and counted."""

import contextlib
import io
import os
import random
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from uuid import UUID

from PIL import Image

from tests.support.auth_client import Answer
from tests.support.database import Connection
from tests.support.media_client import FORM, MediaClient, form, part, picture_form
from tests.support.waiting import until

FIELDS = (part("name", "Lamp"), part("price", "4999"), part("currency", "EUR"))


def draw_expanding_picture() -> bytes:
    """13 KB of a repeated tile of noise, which a WebP of the usual quality needs 470 KB for."""
    pixels = random.Random(1).randbytes(64 * 64 * 3)  # noqa: S311 - a picture is no secret
    tile, picture = Image.frombytes("RGB", (64, 64), pixels), Image.new("RGB", (640, 640))
    for place in range(100):
        picture.paste(tile, (place % 10 * 64, place // 10 * 64))
    target = io.BytesIO()
    picture.save(target, "WEBP", lossless=True, quality=50, method=0)
    return target.getvalue()


EXPANDING_PICTURE = draw_expanding_picture()


def photo(picture: bytes) -> bytes:
    return part("photo", picture, '; filename="lamp.png"')


async def post_creative(media: MediaClient, picture: bytes) -> Answer:
    return await media.send(picture_form(picture))


async def post_product(media: MediaClient, picture: bytes) -> Answer:
    body = BytesIO(form(photo(picture), *FIELDS))
    return await media.call("POST", "/products", data=body, headers=FORM)


async def put_photo(media: MediaClient, picture: bytes, product: str = "") -> Answer:
    if not product:
        body = {"name": "Lamp", "price": 1, "currency": "EUR"}
        product = (await media.call("POST", "/products", json=body)).body["id"]
    path, data = f"/products/{product}/photo", BytesIO(form(photo(picture)))
    return await media.call("PUT", path, data=data, headers=FORM)


UPLOADS: dict[str, Callable[[MediaClient, bytes], Awaitable[Answer]]] = {
    "POST /creatives": post_creative,
    "POST /products": post_product,
    "PUT /products/{id}/photo": put_photo,
}
"""Every route that accepts a picture."""


async def usage(database: Connection, user_id: UUID) -> int:
    counted = await database.fetchval("select bytes from owners where user_id = $1", user_id)
    return int(counted or 0)


def stored(files: Path, user_id: UUID) -> int:
    """The bytes stored for the user; files may come and go meanwhile."""
    total = 0
    for folder, _, names in os.walk(files / "objects" / str(user_id)):  # passes over what is gone
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(folder) / name).stat().st_size
    return total


async def wait_for_usage(database: Connection, files: Path, user_id: UUID) -> int:
    """Wait until the counted usage equals the stored bytes, and return it; fail after 10 s."""

    async def equal() -> bool:
        return stored(files, user_id) == await usage(database, user_id)

    await until(equal)
    return await usage(database, user_id)
