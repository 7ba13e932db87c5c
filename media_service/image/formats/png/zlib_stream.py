"""The zlib stream of a PNG's pixels: no longer than the picture, and nothing behind its end."""

import zlib

from media_service.image.errors import BrokenImage

_INPUT_BYTES = 64 * 1024
_INFLATED_BYTES = 1024 * 1024


def truncate_stream(packed: bytes, most: int) -> bytes:
    """Return the zlib stream that `packed` begins with.

    Raises:
        BrokenImage: it has no end, is damaged, or yields more than `most` bytes.
    """
    inflater, fed, made = zlib.decompressobj(), 0, 0
    waiting = inflated = b""
    while not inflater.eof:
        if not waiting and len(inflated) < _INFLATED_BYTES:
            waiting, fed = packed[fed : fed + _INPUT_BYTES], fed + _INPUT_BYTES
            if not waiting:
                raise BrokenImage("the image ends within its pixels")
        inflated = _inflate(inflater, waiting)
        made, waiting = made + len(inflated), inflater.unconsumed_tail
        if made > most:
            raise BrokenImage("the image has more pixels than it announces")
    return packed[: min(fed, len(packed)) - len(inflater.unused_data)]


def _inflate(inflater: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return inflater.decompress(data, _INFLATED_BYTES)
    except zlib.error:
        raise BrokenImage("the image's pixels are damaged") from None


_ADAM7_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Adam7: first column and row, and the steps of both. Source: W3C PNG §8.1."""


def raw_bytes(width: int, height: int, pixel_bits: int, *, interlaced: bool) -> int:
    """Return how long the rows are, with a filter byte before each."""
    passes = _ADAM7_PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, wide, high in passes:
        columns, rows = -(-(width - left) // wide), -(-(height - top) // high)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * pixel_bits + 7) // 8)
    return total
