"""The extent of a JPEG, read from its marker segments. Source: ITU-T T.81 annex B."""

import re

from media_service.image.errors import BrokenImage, ImageTooLarge
from media_service.image.model import Extent, Source

MAX_SEGMENTS = 2_000
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 2_000_000_000  # about two seconds of decoding
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""Any marker but stuffed zeros and restarts, which stand within a scan's data."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
START_OF_IMAGE = 0xD8
END_OF_IMAGE = 0xD9
START_OF_SCAN = 0xDA


def scan_jpeg(data: Source) -> Extent:
    """Return the size in the frame header; a bound holds for segments and for scans.

    Every scan of a progressive image visits all its pixels, so that a small file with thousands
    of them takes minutes. What follows the end of the image is not looked at.

    Raises:
        BrokenImage: there is no frame header.
        ImageTooLarge: it has too many segments or scans.
    """
    extent, scans, segments, offset = None, 0, 0, 0
    while (found := MARKER.search(data, offset)) and found[1][0] != END_OF_IMAGE:
        marker, offset = found[1][0], found.end()
        segments += 1
        if marker == START_OF_IMAGE:
            continue
        if marker in _FRAME_HEADERS:
            extent = extent or _frame_size(data[offset : offset + 7])
        scans += marker == START_OF_SCAN
        if segments > MAX_SEGMENTS or scans > MAX_SCANS:
            raise ImageTooLarge("the image has too many segments or scans")
        offset += max(2, int.from_bytes(data[offset : offset + 2]))
    if extent is None:
        raise BrokenImage("the image announces no size")
    if scans * extent.width * extent.height > MAX_SCANNED_PIXELS:
        raise ImageTooLarge("the image has too many scans for its size")
    return extent


def _frame_size(header: bytes) -> Extent:
    height, width = int.from_bytes(header[3:5]), int.from_bytes(header[5:7])
    return Extent(width, height)
