"""The one transparent value of a grey PNG, however many bits its greys have, turned or not."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.support.metadata_samples import exif, open_image
from tests.support.pictures import chunk
from tests.support.renditions import render_picture

pytestmark = pytest.mark.usefixtures("decoders")

SIDEWAYS = 6
VALUES = {1: [0, 1], 2: [0, 1, 2, 3], 4: [0, 2, 9, 15], 8: [0, 85, 170, 255]}
VALUES[16] = [0, 1000, 1001, 65535]


def bands(depth: int, transparent: int, *more: bytes) -> bytes:
    """Sixteen columns of each value, one value beside the other."""
    bits = "".join(f"{value:0{depth}b}" * 16 for value in VALUES[depth])
    row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8)
    size = (16 * len(VALUES[depth]), 16)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, 0, 0, 0, 0))
    hole = chunk(b"tRNS", struct.pack(">H", transparent))
    pixels = chunk(b"IDAT", zlib.compress(row * 16))
    return b"\x89PNG\r\n\x1a\n" + header + hole + b"".join(more) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("depth", VALUES)
def test_thumbnails_of_transparent_grey_png_stay_transparent(
    depth: int, turned: bool, tmp_path: Path
) -> None:
    lying = [chunk(b"eXIf", exif(SIDEWAYS).removeprefix(b"Exif\0\0"))] if turned else []
    for value in VALUES[depth]:
        _, made = render_picture(tmp_path, bands(depth, value, *lying))
        for variant in ("preview", "thumb"):
            shown = open_image(made[variant])
            upright = shown.transpose(Image.Transpose.ROTATE_90) if turned else shown
            alpha = upright.convert("RGBA").getchannel("A").tobytes()[8::16][: len(VALUES[depth])]
            assert list(alpha) == [255 * (one != value) for one in VALUES[depth]], (value, variant)
