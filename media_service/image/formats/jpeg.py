"""JPEG, segment by segment: its size, and the file without metadata.

Source: ITU-T T.81 annex B, T.871.
"""

import re
from typing import Any

from PIL import Image, JpegImagePlugin

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.exif import UPRIGHT, read_orientation
from media_service.image.formats.icc import valid_profile
from media_service.image.formats.model import CleanedImage
from media_service.image.model import ImageBytes, ImageSize

MAX_SEGMENTS = 2_000
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 2_000_000_000  # about two seconds of decoding
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""Any marker but stuffed zeros and restarts, which stand within a scan's data."""
_PADDING = b"\xff\0" * 8
"""libjpeg reads ahead of a baseline scan's last code; no code consists of ones alone."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
START_OF_IMAGE = 0xD8
END_OF_IMAGE = 0xD9
START_OF_SCAN = 0xDA


def scan_jpeg(data: ImageBytes) -> ImageSize:
    """Return the size in the frame header; a bound holds for segments and for scans.

    Every scan of a progressive image visits all its pixels, so that a small file with thousands
    of them takes minutes. Bytes after the end of the image are not read.
    """
    extent, scans, segments, offset = None, 0, 0, 0
    while (found := MARKER.search(data, offset)) and found[1][0] != END_OF_IMAGE:
        marker, offset = found[1][0], found.end()
        segments += 1
        if marker == START_OF_IMAGE:
            if scans:
                break
            continue
        if marker in _FRAME_HEADERS:
            extent = extent or _frame_size(data[offset : offset + 7])
        scans += marker == START_OF_SCAN
        if segments > MAX_SEGMENTS or scans > MAX_SCANS:
            raise ImageLimitExceeded("the image has too many segments or scans")
        offset += max(2, int.from_bytes(data[offset : offset + 2]))
    if extent is None:
        raise BrokenImage("the image announces no size")
    if scans * extent.width * extent.height > MAX_SCANNED_PIXELS:
        raise ImageLimitExceeded("the image has too many scans for its size")
    return extent


def _frame_size(header: bytes) -> ImageSize:
    height, width = int.from_bytes(header[3:5]), int.from_bytes(header[5:7])
    return ImageSize(width, height)


_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_PICTURE_MARKERS = (frozenset(range(0xC0, 0xD0)) - {0xC8}) | {START_OF_SCAN, 0xDB, 0xDD}
"""Frames, their Huffman, arithmetic and quantisation tables, scans, restarts.

No line counts (0xDC): the frame has to say the height, and decoders skip line counts.
"""
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_PLAIN_JFIF = _JFIF + b"\1\1\0\0\1\0\1\0\0"
_ICC_HEAD_BYTES = len(_ICC) + 2
_ICC_PART_BYTES = 65_519
_ADOBE_TRANSFORM = 11


def clean_jpeg(data: ImageBytes) -> CleanedImage:
    """Return the picture's own segments, bit for bit, with the colour profile before them.

    The application segments that decoders need are written anew: JFIF without a thumbnail, and
    Adobe's colour transform. Bytes after the end marker are left out.

    Some cameras write no end marker. Only a decoder knows where the rows of such a file end, and
    whether all of them are there. So such a file is encoded again.
    """
    reader = _SegmentReader()
    offset = 0
    while (found := MARKER.search(data, offset)) and found[1][0] != END_OF_IMAGE:
        if reader.begins_trailer(data, found):
            found = None
            break
        offset = reader.read(data, found[1][0], found.start())
    picture = reader.picture_segments if found else reader.first_scan()
    pieces = [
        b"\xff\xd8",
        *reader.application_segments(),
        *_profile_segments(reader.profile),
        *picture,
        b"\xff\xd9" if found else _PADDING,
    ]
    return CleanedImage(pieces, reader.orientation, lossless=False, servable=bool(found))


class _SegmentReader:
    """Collects the segments to keep, the profile and the orientation."""

    def __init__(self) -> None:
        self.picture_segments: list[bytes] = []
        self.orientation = UPRIGHT
        self.profile: dict[int, bytes] = {}
        self._jfif = False
        self._first_scan: int | None = None
        self._transform: bytes | None = None

    def read(self, data: ImageBytes, marker: int, start: int) -> int:
        """Take the segment that starts there; return where to look for the next one."""
        if marker == START_OF_IMAGE:
            return start + 2
        end = _segment_end(data, start)
        if end > len(data):
            raise BrokenImage("the image ends within a segment")
        if marker == START_OF_SCAN:
            following = MARKER.search(data, end)
            end = following.start() if following else len(data)
        if marker in _PICTURE_MARKERS:
            self.picture_segments.append(bytes(data[start:end]))
            if marker == START_OF_SCAN and self._first_scan is None:
                self._first_scan = len(self.picture_segments)
        elif self._first_scan is None:
            self._read_application_segment(marker, bytes(data[start + 4 : end]))
        return end

    def application_segments(self) -> list[bytes]:
        """Return the application segments that matter to a decoder."""
        jfif = [_segment(_APP0, _PLAIN_JFIF)] if self._jfif else []
        if self._transform is None:
            return jfif
        return [*jfif, _segment(_APP14, _ADOBE + b"\0\x64\0\0\0\0" + self._transform)]

    def begins_trailer(self, data: ImageBytes, marker: re.Match[bytes]) -> bool:
        """Return whether the marker behind a scan belongs to a trailer, not to the picture."""
        if self._first_scan is None:
            return False
        return marker[1][0] == START_OF_IMAGE or _segment_end(data, marker.start()) > len(data)

    def first_scan(self) -> list[bytes]:
        """Return the picture up to its first scan, all that a file without an end can have whole.

        Raises:
            BrokenImage: no scan was met.
        """
        if self._first_scan is None:
            raise BrokenImage("the image ends before its first row")
        return self.picture_segments[: self._first_scan]

    def _read_application_segment(self, marker: int, body: bytes) -> None:
        if marker == _APP0 and body.startswith(_JFIF):
            self._jfif = True
        elif marker == _APP1 and body.startswith(_EXIF) and self.orientation == UPRIGHT:
            self.orientation = read_orientation(body)
        elif marker == _APP2 and body.startswith(_ICC) and len(body) > _ICC_HEAD_BYTES:
            self.profile.setdefault(body[len(_ICC)], body[_ICC_HEAD_BYTES:])
        elif marker == _APP14 and body.startswith(_ADOBE) and len(body) > _ADOBE_TRANSFORM:
            self._transform = body[_ADOBE_TRANSFORM : _ADOBE_TRANSFORM + 1]


def _segment_end(data: ImageBytes, start: int) -> int:
    return start + 2 + max(2, int.from_bytes(data[start + 2 : start + 4]))


def _profile_segments(found: dict[int, bytes]) -> list[bytes]:
    """Return the profile's parts in their order, numbered anew. Source: ICC.1:2022 annex B.4."""
    profile = valid_profile(b"".join(found[number] for number in sorted(found)))
    if profile is None:
        return []
    parts = [profile[at : at + _ICC_PART_BYTES] for at in range(0, len(profile), _ICC_PART_BYTES)]
    return [
        _segment(_APP2, _ICC + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, 1)
    ]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


_BLOCK_SIDE = 8
_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_TRANSPOSED_SUBSAMPLING = {0: "4:4:4", 2: "4:2:0"}


def jpeg_encoder_options(image: Image.Image, cleaned: CleanedImage) -> dict[str, Any]:
    """Return the file's own quantisation tables, and its sampling where Pillow can write it.

    A transposed picture has transposed tables.
    """
    tables = getattr(image, "quantization", {})
    turned = cleaned.is_transposed
    names = _TRANSPOSED_SUBSAMPLING if turned else _SUBSAMPLING
    return {
        "qtables": [_transposed(table) if turned else table for _, table in sorted(tables.items())],
        "subsampling": names.get(JpegImagePlugin.get_sampling(image), "4:4:4"),
        "progressive": bool(image.info.get("progressive")),
        "comment": b"",
    }


def _transposed(table: list[int]) -> list[int]:
    """Return a quantisation table for the transposed block."""
    side = range(_BLOCK_SIDE)
    return [table[column * _BLOCK_SIDE + row] for row in side for column in side]
