"""Pictures that are no pictures, broken ones and bombs: refused quickly, and never with a 5xx."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from media_service.image.worker import process
from tests.support.hostile_pictures import BROKEN, TOO_LARGE, UNSUPPORTED, WHOLE
from tests.support.media_client import MediaClient, files_below, picture_form
from tests.support.metadata_samples import SECRET, exif, with_metadata
from tests.support.pictures import blank_png, encode

pytestmark = pytest.mark.usefixtures("measured_workers")


async def test_image_whole_picture_is_accepted_with_its_size(media: MediaClient) -> None:
    for name, (picture, content_type, (width, height)) in WHOLE.items():
        created = await media.upload(picture=picture)
        assert created["content_type"] == content_type, name
        assert (created["width"], created["height"]) == (width, height), name


@pytest.mark.parametrize(
    ("pictures", "status", "code"),
    [
        (UNSUPPORTED, 415, "unsupported_image"),
        (BROKEN, 422, "broken_image"),
        (TOO_LARGE, 422, "image_too_large"),
    ],
    ids=["unsupported", "broken", "too large"],
)
async def test_image_unsupported_broken_or_too_large_is_refused(
    media: MediaClient, files: Path, pictures: dict[str, bytes], status: int, code: str
) -> None:
    for name, picture in pictures.items():
        refused = await media.send(picture_form(picture))
        assert (refused.status, refused.code) == (status, code), name
    assert files_below(files) == []


async def test_image_truncated_anywhere_is_refused_without_server_error(media: MediaClient) -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        picture = encode(kind, (120, 80))
        for tenth in range(10):
            answer = await media.send(picture_form(picture[: len(picture) * tenth // 10]))
            assert answer.status in {415, 422}, (kind, tenth)


@pytest.fixture(scope="module")
def longest() -> bytes:
    """50 megapixels exactly; as WebP, transparent and turned, it needs most memory."""
    target = io.BytesIO()
    picture = Image.new("RGBA", (10_000, 5000), (90, 120, 30, 100))
    picture.save(target, "WEBP", quality=1, method=0, exif=exif(6))
    return target.getvalue()


async def test_image_of_the_largest_allowed_size_is_accepted(
    longest: bytes, media: MediaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "WALL_SECONDS", 60)  # its processor time counts, on any machine
    created = await media.upload(picture=longest)
    assert created["width"] * created["height"] == 50_000_000


async def test_image_decoding_leaves_other_requests_served(media: MediaClient) -> None:
    shares: list[float] = []
    while len(shares) < 3:  # a machine may stall once; who waits for the decoder does so each time
        shares.append(await longest_share_of_a_decoding(media))
        if shares[-1] < 1 / 3:  # a busy machine is slow at both
            return
    pytest.fail(f"each time somebody waited for so much of it: {shares}")


async def longest_share_of_a_decoding(media: MediaClient) -> float:
    heavy = asyncio.create_task(media.send(picture_form(blank_png(8000, 5000))))
    loop, slowest = asyncio.get_running_loop(), 0.0
    began = loop.time()
    while not heavy.done():
        started = loop.time()
        assert (await media.http.get("/healthz")).status == 200
        slowest = max(slowest, loop.time() - started)
    assert (await heavy).status == 201
    return slowest / max(0.75, loop.time() - began)


async def test_image_served_variants_hold_no_metadata(media: MediaClient) -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        picture = with_metadata(kind, 6)
        assert SECRET in picture
        created = await media.upload(picture=picture)
        sides = (64, 48) if kind == "GIF" else (48, 64)
        assert (created["width"], created["height"]) == sides, kind
        for variant in created["variants"]:
            path = f"/creatives/{created['id']}/file"
            served = await media.call("GET", path, params={"variant": variant})
            assert SECRET not in served.body, (kind, variant)
            assert Image.open(io.BytesIO(served.body)).size == sides, (kind, variant)
            assert served.headers["X-Content-Type-Options"] == "nosniff"
            assert served.headers["Content-Security-Policy"] == "sandbox"
