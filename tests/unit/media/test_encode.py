"""Smaller pictures: never larger in bytes than what they are made of."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from media_service.image.encode import SMALLEST_BYTES, encode_within
from tests.support.pictures import draw


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def grain(size: tuple[int, int], mode: str, seed: int) -> Image.Image:
    count = size[0] * size[1] * len(mode)
    pixels = random.Random(seed).randbytes(count)  # noqa: S311 - a picture is no secret
    return Image.frombytes(mode, size, pixels)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    mode=st.sampled_from(["RGB", "RGBA"]),
    limit=st.integers(0, 20_000),
)
def test_encode_within_any_limit_keeps_it(width: int, height: int, mode: str, limit: int) -> None:
    data = encode_within(grain((width, height), mode, limit), limit)
    assert len(data) <= max(limit, SMALLEST_BYTES)
    made = opened(data)
    made.load()
    assert made.format == "WEBP"
    assert max(made.size) <= max(width, height)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_encode_within_wide_limit_keeps_every_pixel(mode: str) -> None:
    picture = draw((320, 200), mode=mode)
    data = encode_within(picture, 1_000_000)
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=80, method=2)
    assert data == target.getvalue()


def test_encode_within_limit_of_a_drawing_is_lossless() -> None:
    """A flat picture's WebP without loss is smaller than one of the usual quality."""
    picture = Image.new("RGB", (640, 480), (200, 30, 60))
    data = encode_within(picture, 200)
    assert opened(data).size == (640, 480)
    assert opened(data).convert("RGB").getpixel((320, 240)) == (200, 30, 60)


def test_encode_within_tight_limit_lowers_quality_before_it_takes_pixels() -> None:
    picture = grain((64, 64), "RGB", 1)
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=25, method=4)
    limit = len(target.getvalue())
    assert opened(encode_within(picture, limit)).size == (64, 64)
    assert opened(encode_within(picture, limit - 1)).size < (64, 64)
