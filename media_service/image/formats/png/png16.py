"""A PNG with 16 bits a channel, turned without loss: Pillow alone would halve its colours.

Source: W3C PNG (third edition) §9 and §11.
"""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageChops

from media_service.image.formats.png.clean import SIGNATURE, pack

_HEADER = struct.Struct(">8xIIBBBBB")
_BIT_DEPTH = 16
_RAW_MODES = {2: ["RGB;16B", "RGB;16L"], 4: ["RGBA"], 6: ["RGBA;16B", "RGBA;16L"]}
"""By the kind of pixels, how to read the upper bytes and the lower; grey with alpha has its four
bytes read as if they were four channels."""
_MAX_PIXELS = 8_000_000
"""As many as are turned within the time and memory of a job."""
_REWRITTEN = frozenset({b"IDAT", b"IHDR", b"IEND"})
_ANIMATION_CONTROL = b"acTL"
_KIND = slice(4, 8)
_SUB_FILTER = b"\1"
"""Filter type 1: each byte is stored as its difference to the pixel on its left."""


def is_png16(pieces: list[bytes]) -> bool:
    """Return whether a cleaned PNG is a still with 16 bits a channel, in colour or with alpha."""
    width, height, depth, colour, *_ = _HEADER.unpack_from(pieces[1])
    still = all(piece[_KIND] != _ANIMATION_CONTROL for piece in pieces)
    return still and depth == _BIT_DEPTH and colour in _RAW_MODES and width * height <= _MAX_PIXELS


def transpose_png16(pieces: list[bytes], transpose: Image.Transpose) -> bytes:
    """Return the file with every pixel's 16 bits transposed."""
    colour = _HEADER.unpack_from(pieces[1])[3]
    source = b"".join(pieces)
    planes = [_byte_plane(source, mode, transpose) for mode in _RAW_MODES[colour]]
    width, height = planes[0].size
    header = struct.pack(">IIBBBBB", width, height, _BIT_DEPTH, colour, 0, 0, 0)
    kept = [piece for piece in pieces[1:] if piece[_KIND] not in _REWRITTEN]
    pixels = pack(b"IDAT", b"".join(_compress(_interleave(planes), height)))
    return b"".join([SIGNATURE, pack(b"IHDR", header), *kept, pixels, pack(b"IEND", b"")])


def _byte_plane(source: bytes, mode: str, transpose: Image.Transpose) -> Image.Image:
    """Return one byte of every channel, turned, each less its neighbour to the left."""
    with Image.open(io.BytesIO(source), formats=["PNG"]) as image:
        image.tile = [tile._replace(args=mode) for tile in image.tile]
        turned = image.transpose(transpose)
    turned.info.clear()
    left = Image.new(turned.mode, turned.size, (0,) * len(turned.getbands()))
    left.paste(turned, (1, 0))
    return ImageChops.subtract_modulo(turned, left)


def _interleave(planes: list[Image.Image]) -> bytes:
    if len(planes) == 1:
        return planes[0].tobytes()
    upper, lower = (plane.tobytes() for plane in planes)
    both = bytearray(2 * len(upper))
    both[0::2], both[1::2] = upper, lower
    return bytes(both)


def _compress(pixels: bytes, height: int) -> Iterator[bytes]:
    packer, row = zlib.compressobj(1), len(pixels) // height
    for at in range(0, len(pixels), row):
        yield packer.compress(_SUB_FILTER + pixels[at : at + row])
    yield packer.flush()
