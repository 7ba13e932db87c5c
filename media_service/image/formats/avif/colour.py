"""The colour information of an AVIF. Source: ISO/IEC 14496-12 §12.1.5."""

from media_service.image.formats.avif.boxes import Box, blank, zero
from media_service.image.formats.icc import valid_profile

_TYPE_BYTES = 4
_CODED_BYTES = 7
_PROFILES = frozenset({b"prof", b"rICC"})


def clean_colour(data: bytearray, box: Box) -> None:
    """Zero what follows the codes or the profile; blank a box that has neither."""
    start = box.body + _TYPE_BYTES
    kind = bytes(data[box.body : start])
    if kind == b"nclx":
        zero(data, start + _CODED_BYTES, box.end)
        return
    profile = valid_profile(bytes(data[start : box.end])) if kind in _PROFILES else None
    if profile is None:
        blank(data, box)
    else:
        zero(data, start + len(profile), box.end)
