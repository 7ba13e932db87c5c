"""Boxes of an ISO base media file, read and changed in place. Source: ISO/IEC 14496-12 §4.2."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from media_service.image.errors import BrokenImage, ImageLimitExceeded

FREE = b"free"
FULL_BOX_BYTES = 4
MAX_BOXES = 20_000
_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its header begins at `start`, its content lies from `body` to `end`."""

    kind: bytes
    start: int
    body: int
    end: int


def iter_boxes(data: bytearray, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets.

    Raises:
        BrokenImage: one of them does not fit.
        ImageLimitExceeded: there are more than any picture needs.
    """
    for _ in range(MAX_BOXES):
        if start >= end:
            return
        box = read_box(data, start, end)
        if box is None:
            raise BrokenImage("the image ends within a box")
        yield box
        start = box.end
    raise ImageLimitExceeded("the image has too many boxes")


def read_box(data: bytearray, start: int, end: int) -> Box | None:
    """Return the box that begins at `start`, None when none fits there."""
    size, header = int.from_bytes(data[start : start + 4]), _HEADER_BYTES
    if size == 1:
        size, header = int.from_bytes(data[start + 8 : start + 16]), _LONG_HEADER_BYTES
    elif size == 0:
        size = end - start
    if size < header or start + size > end:
        return None
    return Box(bytes(data[start + 4 : start + 8]), start, start + header, start + size)


class FieldReader:
    """Reads big-endian numbers up to the box's end; beyond it, it raises `BrokenImage`."""

    def __init__(self, data: bytearray, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self._end = end

    def number(self, size: int) -> int:
        """Return the next number of that many bytes; of none, it is zero."""
        at = self.at
        self.skip(size)
        return int.from_bytes(self._data[at : self.at])

    def skip(self, count: int) -> None:
        """Go on behind `count` bytes."""
        self.at += count
        if self.at > self._end:
            raise BrokenImage("the image ends within a box")

    def version(self) -> int:
        """Return a full box's version, and go on behind its flags."""
        return self.number(4) >> 24


def blank(data: bytearray, box: Box) -> None:
    """Turn the box into free space full of zeros, so that nothing behind it has to move."""
    data[box.start + 4 : box.start + 8] = FREE
    zero(data, box.body, box.end)


def zero(data: bytearray, start: int, end: int) -> None:
    """Overwrite these bytes with zeros."""
    if end > start:
        data[start:end] = bytes(end - start)


def keep_only(data: bytearray, places: Iterable[Box], ranges: Iterable[Interval]) -> None:
    """Zero what lies in the boxes outside of the ranges, which count from the file's start."""
    before, at = bytes(data), 0
    for box in places:
        zero(data, box.body, box.end)
    for start, end in sorted(ranges):
        if end > at:  # no byte is put back twice, however often it is named
            data[max(at, start) : end] = before[max(at, start) : end]
            at = end
