"""Conditional and range requests, decided by their headers. Source: RFC 9110 §13 and §14."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from media_service.picture.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes of a file to send."""

    start: int
    length: int
    size: int
    partial: bool
    """Whether a range was asked for: a range may also be the whole file."""

    @property
    def content_range(self) -> str:
        """Return the `Content-Range` of a partial answer."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def select_range(
    range_header: str | None, if_range: str | None, validators: Collection[str], size: int
) -> ByteRange:
    """Return what to send: one range, or the whole file where a range is absent or is ignored.

    Several ranges, other units and syntax errors are ignored, as §14.2 allows; so is a range of
    a version that is no longer this one (§13.1.5), which has the `validators` ETag and date.

    Raises:
        RangeNotSatisfiable: the range begins after the end.
    """
    whole = ByteRange(0, size, size, partial=False)
    found = _RANGE.fullmatch((range_header or "").replace(" ", "").lower())
    if found is None or (if_range is not None and if_range.strip() not in validators):
        return whole
    first, last = found[1], found[2]
    if not first and not last:
        return whole
    if not first:  # the last bytes
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return whole
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, end - start + 1, size, partial=True)
