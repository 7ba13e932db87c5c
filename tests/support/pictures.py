"""Pictures, whole and broken, made from seeds."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image

Size = tuple[int, int]


def draw(size: Size = (64, 48), seed: int = 1, mode: str = "RGB") -> Image.Image:
    """A coarse mosaic, so that every format has something to compress."""
    random_bytes = random.Random(seed).randbytes  # noqa: S311 - a picture is no secret
    image = Image.frombytes("RGB", (8, 8), random_bytes(192)).resize(size, Image.Resampling.NEAREST)
    return image.convert(mode)


def encode(kind: str = "JPEG", size: Size = (64, 48), seed: int = 1, **options: Any) -> bytes:
    target = io.BytesIO()
    draw(size, seed, options.pop("mode", "RGB")).save(target, kind, **options)
    return target.getvalue()


def animate(kind: str, frames: int, size: Size = (32, 24), **options: Any) -> bytes:
    target = io.BytesIO()
    first, *rest = [draw(size, seed) for seed in range(frames)]
    first.save(target, kind, save_all=True, append_images=rest, **options)
    return target.getvalue()


def grain(side: int, seed: int = 1) -> bytes:
    """A PNG that nothing makes smaller: three bytes for each of its pixels."""
    pixels = random.Random(seed).randbytes(side * side * 3)  # noqa: S311 - a picture is no secret
    target = io.BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(target, "PNG", compress_level=0)
    return target.getvalue()


def noise(bytes_wanted: int, seed: int = 1) -> bytes:
    """A JPEG of just about that many bytes: filled up behind its end, which decoders ignore."""
    picture = encode("JPEG", (1200, 900), seed, quality=90)
    filler = random.Random(seed).randbytes(bytes_wanted - len(picture))  # noqa: S311 - likewise
    return picture + filler


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, pixels: bytes = b"") -> bytes:
    """A grey PNG of any announced size, with chunks of one's own before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body + chunk(b"IEND", b"")


def blank_png(width: int, height: int) -> bytes:
    """A PNG whose pixels are all there and cost next to nothing to send."""
    packer = zlib.compressobj(9)
    row = b"\0" * (width + 1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def many_scans(size: Size, scans: int) -> bytes:
    """A progressive JPEG of little data whose last scan comes again and again."""
    target = io.BytesIO()
    Image.new("L", size, 99).save(target, "JPEG", progressive=True, quality=50)
    picture = target.getvalue()
    last = picture.rindex(b"\xff\xda")
    return picture[:-2] + picture[last:-2] * scans + picture[-2:]
