"""The extent of a WebP, read from its RIFF chunks. Source: RFC 9649 §2."""

import struct

from media_service.image.errors import BrokenImage, ImageTooLarge
from media_service.image.model import Extent, Source

MAX_CHUNKS = 20_000
RIFF_HEADER_BYTES = 12
CHUNK_HEADER_BYTES = 8


def scan_webp(data: Source) -> Extent:
    """Return the canvas and the number of frames.

    Raises:
        BrokenImage: no chunk announces a size.
        ImageTooLarge: it has too many chunks.
    """
    width = height = frames = 0
    offset = RIFF_HEADER_BYTES
    for _ in range(MAX_CHUNKS):
        header = data[offset : offset + CHUNK_HEADER_BYTES]
        if len(header) < CHUNK_HEADER_BYTES:
            break
        kind, length = struct.unpack("<4sI", header)
        body = data[offset + 8 : offset + 18].ljust(10, b"\0")
        wide, high = _size(kind, body)
        width, height, frames = max(width, wide), max(height, high), frames + (kind == b"ANMF")
        offset += CHUNK_HEADER_BYTES + length + (length & 1)
    else:
        raise ImageTooLarge("the image has too many chunks")
    if not width or not height:
        raise BrokenImage("the image announces no size")
    return Extent(width, height, max(1, frames))


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Return the size that a chunk announces, zero for chunks that announce none."""
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0
