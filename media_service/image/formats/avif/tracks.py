"""The moving pictures of an AVIF sequence. Source: ISO/IEC 14496-12 §8."""

import struct

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.avif.boxes import (
    FULL_BOX_BYTES,
    Box,
    FieldReader,
    Interval,
    blank,
    iter_boxes,
    zero,
)
from media_service.image.formats.avif.padding import clean_handler, clean_properties, zero_padding

MAX_SAMPLES = 10_000
"""Of a track."""
MAX_TRACKS = 8
"""A sequence has one of colour, one of transparency and one of depth; sound goes."""
_PICTURE_HANDLERS = frozenset({b"pict", b"auxv", b"vide"})
_KEPT_CHILDREN: dict[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"mvhd", b"trak"}),
    b"trak": frozenset({b"tkhd", b"edts", b"tref", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"nmhd", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"tref": frozenset({b"auxl", b"prem"}),
    b"stbl": frozenset({b"stsd", b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"stss"}),
}
_ENTRY_PARTS = frozenset(
    {b"av1C", b"colr", b"pasp", b"ccst", b"auxi", b"clap", b"clli", b"mdcv", b"btrt"}
    | {b"irot", b"imir"}
)
_DATED_HEADERS = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_ENTRY_BYTES = 78
_ENTRY_UNUSED = (slice(0, 6), slice(8, 24), slice(36, 40), slice(42, 74))
"""The reserved bytes, and last the compressor's name."""
_UNITY_MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_PLACEMENT = {
    b"mvhd": (4, b"\0\1\0\0\1\0" + bytes(10) + _UNITY_MATRIX + bytes(24)),
    b"tkhd": (8, bytes(16) + _UNITY_MATRIX),
}
"""The placement in each header, as bytes before its last ones; no decoder of AVIF reads it."""
_UNDEFINED_LANGUAGE = b"\x55\xc4\0\0"
_SAME_FILE = b"\0\0\0\1"


def clean_movie(data: bytearray, moov: Box) -> list[Interval]:
    """Overwrite dates, names and foreign tracks; return where the pictures' bytes are."""
    ranges: list[Interval] = []
    children = _kept_children(data, moov)
    if sum(box.kind == b"trak" for box in children) > MAX_TRACKS:
        raise ImageLimitExceeded("the animation has too many tracks")
    for box in children:
        if box.kind == b"trak":
            ranges += _clean_track(data, box)
        else:
            _clean_leaf(data, box)
    return ranges


def _clean_track(data: bytearray, trak: Box) -> list[Interval]:
    found: dict[bytes, Box] = {}
    waiting = [trak]
    while waiting:
        for box in _kept_children(data, waiting.pop()):
            found.setdefault(box.kind, box)
            if box.kind in _KEPT_CHILDREN:
                waiting.append(box)
            else:
                _clean_leaf(data, box)
    handler = found.get(b"hdlr")
    if (
        handler is None
        or bytes(data[handler.body + 8 : handler.body + 12]) not in _PICTURE_HANDLERS
    ):
        blank(data, trak)
        return []
    return _sample_ranges(data, found)


def _kept_children(data: bytearray, parent: Box) -> list[Box]:
    kept = []
    for box in iter_boxes(data, parent.body, parent.end):
        if box.kind in _KEPT_CHILDREN[parent.kind]:
            kept.append(box)
        else:
            blank(data, box)
    return kept


def _clean_leaf(data: bytearray, box: Box) -> None:
    end = zero_padding(data, box)
    if box.kind in _DATED_HEADERS:
        _clean_header(data, box, end)
    elif box.kind == b"hdlr":
        clean_handler(data, box)
    elif box.kind == b"dref":
        for reference in iter_boxes(data, box.body + 2 * FULL_BOX_BYTES, box.end):
            _clean_data_reference(data, reference)
    elif box.kind == b"stsd":
        for entry in iter_boxes(data, box.body + 2 * FULL_BOX_BYTES, box.end):
            _clean_entry(data, entry)


def _clean_data_reference(data: bytearray, reference: Box) -> None:
    """Declare that the media data are in this file."""
    start = reference.body + FULL_BOX_BYTES
    if start > reference.end:
        raise BrokenImage("the image ends within a box")
    data[reference.start + 4 : reference.start + 8] = b"url "
    data[reference.body : start] = _SAME_FILE
    zero(data, start, reference.end)


def _clean_header(data: bytearray, box: Box, end: int) -> None:
    """Overwrite when it was made and where it is placed; of a track's media, its language."""
    zero(data, box.body + FULL_BOX_BYTES, box.body + FULL_BOX_BYTES + (16 if data[box.body] else 8))
    after, unused = _PLACEMENT.get(box.kind, (0, _UNDEFINED_LANGUAGE))
    data[end - after - len(unused) : end - after] = unused


def _clean_entry(data: bytearray, entry: Box) -> None:
    """Overwrite the compressor's name and what a picture's description does not need."""
    if entry.end - entry.body < _ENTRY_BYTES:
        raise BrokenImage("the image ends within a box")
    for unused in _ENTRY_UNUSED:
        zero(data, entry.body + unused.start, entry.body + unused.stop)
    clean_properties(data, iter_boxes(data, entry.body + _ENTRY_BYTES, entry.end), _ENTRY_PARTS)


def _sample_ranges(data: bytearray, found: dict[bytes, Box]) -> list[Interval]:
    """Return where the samples are, chunk by chunk."""
    sizes, ranges, sample = _sample_sizes(data, found), [], 0
    for start, count in _sample_chunks(data, found):
        length = sum(sizes[sample : sample + count])
        ranges.append((start, start + length))
        sample += count
    return ranges


def _sample_sizes(data: bytearray, found: dict[bytes, Box]) -> list[int]:
    fields = _read_table(data, found, b"stsz")
    same = fields.number(4)
    return [same or fields.number(4) for _ in range(_read_count(fields))]


def _sample_chunks(data: bytearray, found: dict[bytes, Box]) -> list[tuple[int, int]]:
    """Return where each chunk begins and how many samples it has."""
    wide = b"co64" in found
    offsets = _read_table(data, found, b"co64" if wide else b"stco")
    starts = [offsets.number(8 if wide else 4) for _ in range(_read_count(offsets))]
    runs = _read_table(data, found, b"stsc")
    entries = [(runs.number(4), runs.number(4), runs.number(4)) for _ in range(_read_count(runs))]
    counts: list[int] = []
    firsts = [first for first, _, _ in entries[1:]] + [len(starts) + 1]
    for (first, count, _), following in zip(entries, firsts, strict=True):
        chunks = min(following - first, len(starts) - len(counts))
        counts += [min(count, MAX_SAMPLES)] * max(0, chunks)
    return list(zip(starts, counts, strict=False))


def _read_count(fields: FieldReader) -> int:
    count = fields.number(4)
    if count > MAX_SAMPLES:
        raise ImageLimitExceeded("the animation has too many samples")
    return count


def _read_table(data: bytearray, found: dict[bytes, Box], kind: bytes) -> FieldReader:
    if kind not in found:
        raise BrokenImage("a table of the animation is missing")
    fields = FieldReader(data, found[kind].body, found[kind].end)
    fields.version()
    return fields
