"""Exif's orientation, the one tag that changes how a picture looks.

Source: CIPA DC-008 §4.6, TIFF 6.0 §2.
"""

import struct

UPRIGHT = 1
_PREFIX = b"Exif\0\0"
ORIENTATION_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
_MAX_ENTRIES = 1000


def read_orientation(exif: bytes) -> int:
    """Return the orientation of the main picture; `UPRIGHT` where there is no valid one."""
    tiff = exif.removeprefix(_PREFIX)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for index in range(min(count, _MAX_ENTRIES)):
            at = start + 2 + index * _ENTRY_BYTES
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at)
            if (tag, kind) == (ORIENTATION_TAG, _SHORT):
                return value if 1 <= value <= 8 else UPRIGHT  # noqa: PLR2004 - the eight there are
    except struct.error:
        return UPRIGHT
    return UPRIGHT
