"""A PNG that lay on its side has its transparency, its colour space and its frames still."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps

from tests.support.metadata_samples import SECRET, exif, open_image
from tests.support.pictures import chunk, draw
from tests.support.renditions import render_picture

pytestmark = pytest.mark.usefixtures("decoders")

SIDEWAYS = 6
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(picture: Image.Image, **more: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, "PNG", exif=exif(SIDEWAYS), **more)
    return target.getvalue()


def raw(size: tuple[int, int], depth: int, colour: int, rows: bytes, *before: bytes) -> bytes:
    """A PNG of any kind of pixels, on its side."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    lying = chunk(b"eXIf", exif(SIDEWAYS).removeprefix(b"Exif\0\0"))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + header + b"".join(before) + lying + pixels + chunk(b"IEND", b"")


def one_bit() -> Image.Image:
    return draw().convert("1", dither=Image.Dither.NONE)


MOSAIC = draw()
GREY = MOSAIC.convert("L")
FEW = MOSAIC.quantize(16)


@pytest.mark.parametrize(
    ("picture", "transparent"),
    [
        (one_bit(), 0),
        (GREY, GREY.getpixel((2, 2))),
        (MOSAIC, MOSAIC.getpixel((2, 2))),
        (FEW, FEW.getpixel((2, 2))),
        (FEW, bytes(range(0, 160, 10))),
    ],
    ids=["1", "L", "RGB", "P index", "P bytes"],
)
def test_turned_png_transparency_is_kept(
    picture: Image.Image, transparent: Any, tmp_path: Path
) -> None:
    source = saved(picture, transparency=transparent)
    info, made = render_picture(tmp_path, source)
    wanted = ImageOps.exif_transpose(open_image(source)).convert("RGBA")
    assert set(wanted.getchannel("A").tobytes()) != {255}
    assert (info.width, info.height) == (48, 64)
    difference = ImageChops.difference(open_image(made["original"]).convert("RGBA"), wanted)
    assert difference.getextrema() == ((0, 0),) * 4
    for variant in ("preview", "thumb"):
        alpha = open_image(made[variant]).convert("RGBA").getchannel("A")
        assert not ImageChops.difference(alpha, wanted.getchannel("A")).getbbox(), variant


def test_turned_png_grey_transparency_is_scaled_to_8_bits(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes([0b00011011, 0b00011011]) for _ in range(8))
    source = raw((8, 8), 2, 0, rows, chunk(b"tRNS", b"\0\2"))
    _, made = render_picture(tmp_path, source)
    alpha = open_image(made["original"]).convert("RGBA").getchannel("A")
    assert list(alpha.crop((0, 0, 1, 8)).tobytes()) == [255, 255, 0, 255] * 2


def test_turned_png_colour_chunks_are_kept_behind_the_header(tmp_path: Path) -> None:
    rows = (b"\0" + bytes(range(24))) * 8
    colours = [
        chunk(b"cICP", bytes([9, 16, 0, 1])),
        chunk(b"gAMA", struct.pack(">I", 100_000)),
        chunk(b"cHRM", struct.pack(">8I", *range(30_000, 30_008))),
        chunk(b"sRGB", b"\0"),
    ]
    text = chunk(b"tEXt", b"Comment\0" + SECRET)
    _, made = render_picture(tmp_path, raw((8, 8), 8, 2, rows, *colours, text))
    assert made["original"][33:].startswith(b"".join(colours))
    assert SECRET not in made["original"]
    assert open_image(made["original"]).size == (8, 8)


def test_turned_png_default_image_stays_out_of_the_animation(tmp_path: Path) -> None:
    target = io.BytesIO()
    first, *rest = [draw(seed=seed) for seed in range(4)]
    first.save(
        target,
        "PNG",
        save_all=True,
        append_images=rest,
        default_image=True,
        duration=[40, 80, 120],
        loop=2,
        exif=exif(SIDEWAYS),
    )
    _, made = render_picture(tmp_path, target.getvalue())
    image = Image.open(io.BytesIO(made["original"]))
    assert (image.info["default_image"], image.info["loop"]) == (True, 2)
    paces = []
    for frame, wanted in enumerate([first, *rest]):
        image.seek(frame)
        image.load()
        paces.append(image.info.get("duration"))
        turned = wanted.transpose(Image.Transpose.ROTATE_270)
        assert image.convert("RGB").tobytes() == turned.tobytes()
    assert paces[1:] == [40, 80, 120]


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_turned_png_keeps_16_bits_per_channel(colour: int, channels: int, tmp_path: Path) -> None:
    width, height, size = 7, 5, 2 * channels
    randbytes = random.Random(colour).randbytes  # noqa: S311 - a picture is no secret
    pixels = [[randbytes(size) for _ in range(width)] for _ in range(height)]
    rows = b"".join(b"\0" + b"".join(row) for row in pixels)
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
    info, made = render_picture(tmp_path, raw((width, height), 16, colour, rows, gamma))
    data = made["original"]
    assert (info.width, info.height) == (height, width) == open_image(data).size
    assert not dict(open_image(data).getexif())
    assert gamma in data
    assert data[24:26] == bytes([16, colour])
    at = data.index(b"IDAT")
    inflated = zlib.decompress(data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])])
    turned = [list(row) for row in zip(*reversed(pixels), strict=True)]
    assert unfiltered(inflated, height * size, size) == [b"".join(row) for row in turned]


def unfiltered(data: bytes, length: int, size: int) -> list[bytes]:
    """The rows of a PNG whose bytes are each less the one of the pixel before."""
    rows = []
    for start in range(0, len(data), length + 1):
        assert data[start] == 1
        row = bytearray(data[start + 1 : start + 1 + length])
        for at in range(size, length):
            row[at] = (row[at] + row[at - size]) & 255
        rows.append(bytes(row))
    return rows
