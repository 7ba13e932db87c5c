"""Zeroes the padding behind a box's last field, where anything could be hidden.

Source: ISO/IEC 14496-12 §8 and §12, ISO/IEC 23008-12 §6.5, AV1 in ISO base media files §2.3.
"""

from collections.abc import Callable, Iterable

from media_service.image.errors import BrokenImage
from media_service.image.formats.avif.boxes import FULL_BOX_BYTES, Box, blank, zero
from media_service.image.formats.icc import valid_profile

_FIXED_BYTES = {
    b"a1op": 1,
    b"amve": 8,
    b"btrt": 12,
    b"ccst": 8,
    b"clap": 32,
    b"clli": 4,
    b"imir": 1,
    b"irot": 1,
    b"ispe": 12,
    b"lsel": 2,
    b"mdcv": 24,
    b"ndwt": 8,
    b"nmhd": 4,
    b"pasp": 8,
    b"reve": 20,
    b"vmhd": 12,
}
_BYTES_BY_VERSION = {b"pitm": (6, 8), b"mvhd": (100, 112), b"tkhd": (84, 96), b"mdhd": (24, 36)}
_ENTRY_BYTES = {b"stts": 8, b"ctts": 8, b"stsc": 12, b"stco": 4, b"co64": 8, b"stss": 4}
_AUXILIARY_TYPES = frozenset(
    f"urn:mpeg:{auxiliary_type}".encode()
    for auxiliary_type in (
        "mpegB:cicp:systems:auxiliary:alpha",
        "mpegB:cicp:systems:auxiliary:depth",
        "hevc:2015:auxid:1",
        "hevc:2015:auxid:2",
    )
)
"""The types of auxiliary pictures: transparency and depth."""
_COLOUR_VOLUME_BYTES = 37
"""Of a colour volume, when nothing of it is left out."""
_SEQUENCE_HEADER = 0x0A
"""The first byte of an AV1 sequence header that says how long it is."""
_COLOUR_TYPE_BYTES, _COLOUR_CODE_BYTES = 4, 7
_PROFILES = frozenset({b"prof", b"rICC"})


def clean_properties(data: bytearray, boxes: Iterable[Box], kept: frozenset[bytes]) -> None:
    """Zero what follows the fields of the properties of a kept kind; blank all others."""
    for box in boxes:
        if box.kind not in kept:
            blank(data, box)
        elif box.kind == b"colr":
            _clean_colour(data, box)
        else:
            zero_padding(data, box)


def zero_padding(data: bytearray, box: Box) -> int:
    """Zero what follows the box's last field; return where that field ends.

    Raises:
        BrokenImage: the box ends before.
    """
    end = box.body + _used_bytes(data, box)
    if end > box.end:
        raise BrokenImage("the image ends within a box")
    zero(data, end, box.end)
    return end


def clean_handler(data: bytearray, box: Box) -> None:
    """Zero everything but the handler's type."""
    zero(data, box.body, min(box.body + 8, box.end))
    zero(data, min(box.body + 12, box.end), box.end)


def _clean_colour(data: bytearray, box: Box) -> None:
    """Zero what follows the codes or the profile; blank a box that has neither.

    Source: ISO/IEC 14496-12 §12.1.5.
    """
    start = box.body + _COLOUR_TYPE_BYTES
    kind = bytes(data[box.body : start])
    if kind == b"nclx":
        zero(data, start + _COLOUR_CODE_BYTES, box.end)
        return
    profile = valid_profile(bytes(data[start : box.end])) if kind in _PROFILES else None
    if profile is None:
        blank(data, box)
    else:
        zero(data, start + len(profile), box.end)


def _used_bytes(data: bytearray, box: Box) -> int:
    """Return how many bytes the box's fields take; all, for a kind whose fields are not counted."""
    if box.kind in _FIXED_BYTES:
        return _FIXED_BYTES[box.kind]
    if box.kind in _BYTES_BY_VERSION:
        return _BYTES_BY_VERSION[box.kind][_has_flag(data, box)]
    if box.kind in _ENTRY_BYTES:
        return 8 + _read_count(data, box, 4) * _ENTRY_BYTES[box.kind]
    if special := _COUNTERS.get(box.kind):
        return special(data, box)
    return box.end - box.body


def _has_flag(data: bytearray, box: Box, bits: int = 0xFF) -> bool:
    """Return whether the first byte has one of the bits."""
    return bool(box.end > box.body and data[box.body] & bits)


def _read_count(data: bytearray, box: Box, at: int) -> int:
    return int.from_bytes(data[box.body + at : box.body + at + 4])


def _count_edit_list(data: bytearray, box: Box) -> int:
    return 8 + _read_count(data, box, 4) * (20 if _has_flag(data, box) else 12)


def _count_sample_sizes(data: bytearray, box: Box) -> int:
    return 12 if _read_count(data, box, 4) else 12 + 4 * _read_count(data, box, 8)


def _count_pixel_channels(data: bytearray, box: Box) -> int:
    return 5 + (data[box.body + FULL_BOX_BYTES] if box.end > box.body + FULL_BOX_BYTES else 0)


def _count_colour_volume(_data: bytearray, box: Box) -> int:
    return min(_COLOUR_VOLUME_BYTES, box.end - box.body)


def _count_layer_sizes(data: bytearray, box: Box) -> int:
    return 13 if _has_flag(data, box, 1) else 7


def _count_auxiliary_type(data: bytearray, box: Box) -> int:
    """Count a text that is known; of any other nothing, and the picture is no alpha then."""
    start = box.body + FULL_BOX_BYTES
    text = bytes(data[start : box.end]).partition(b"\0")[0]
    return FULL_BOX_BYTES + (len(text) + 1 if text in _AUXILIARY_TYPES else 0)


def _count_codec_configuration(data: bytearray, box: Box) -> int:
    """Count the sequence header that may follow, where its length takes one byte."""
    at = box.body + 4
    headed = box.end > at + 1 and data[at] == _SEQUENCE_HEADER and data[at + 1] < 0x80  # noqa: PLR2004
    return 4 + (2 + data[at + 1] if headed else 0)


_COUNTERS: dict[bytes, Callable[[bytearray, Box], int]] = {
    b"elst": _count_edit_list,
    b"stsz": _count_sample_sizes,
    b"pixi": _count_pixel_channels,
    b"a1lx": _count_layer_sizes,
    b"cclv": _count_colour_volume,
    b"auxC": _count_auxiliary_type,
    b"auxi": _count_auxiliary_type,
    b"av1C": _count_codec_configuration,
}
