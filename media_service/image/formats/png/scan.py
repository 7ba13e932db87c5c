"""The extent of a PNG, read from its chunks. Source: W3C PNG (third edition) §5 and §11."""

import struct
import zlib

from media_service.image.errors import ImageLimitExceeded
from media_service.image.model import ImageBytes, ImageSize

MAX_CHUNKS = 20_000
MAX_HIDDEN_BYTES = 4 * 1024 * 1024
"""Inflated text and colour profiles, all together; real profiles have at most 2 MiB."""
CHUNK_HEADER_BYTES = 8

_SIGNATURE_BYTES = 8
_COMPRESSED = frozenset({b"zTXt", b"iTXt", b"iCCP"})


def scan_png(data: ImageBytes) -> ImageSize:
    """Return the size in IHDR and the number of frames that animation control chunks announce."""
    width, height = struct.unpack(">II", data[16:24].ljust(8, b"\0"))
    offset, frames, hidden = _SIGNATURE_BYTES, 0, 0
    for _ in range(MAX_CHUNKS):
        header = data[offset : offset + CHUNK_HEADER_BYTES]
        if len(header) < CHUNK_HEADER_BYTES or header.endswith(b"IEND"):
            return ImageSize(width, height, max(1, frames))
        length, kind = struct.unpack(">I4s", header)
        frames += kind == b"fcTL"
        if kind in _COMPRESSED:
            hidden += _inflated_size(kind, data[offset + 8 : offset + 8 + length])
        if hidden > MAX_HIDDEN_BYTES:
            raise ImageLimitExceeded("text and colour profile are too large")
        offset += length + 12
    raise ImageLimitExceeded("the image has too many chunks")


def _inflated_size(kind: bytes, chunk: bytes) -> int:
    """Return how many bytes the chunk's compressed part yields, counting to just over the limit.

    What is no zlib stream yields nothing, and decoders skip it.
    """
    try:
        inflated = zlib.decompressobj().decompress(
            _compressed_part(kind, chunk), MAX_HIDDEN_BYTES + 1
        )
    except zlib.error:
        return 0
    return len(inflated)


def _compressed_part(kind: bytes, chunk: bytes) -> bytes:
    """Return what follows keyword and method; in iTXt also language and translated keyword."""
    content = chunk.partition(b"\0")[2]
    if kind != b"iTXt":
        return content[1:]
    return content[2:].partition(b"\0")[2].partition(b"\0")[2]
