"""The items of a still AVIF: which of them make the picture, and where their bytes are.

Source: ISO/IEC 14496-12 §8.11, ISO/IEC 23008-12 §6.
"""

from typing import NamedTuple

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.avif.boxes import (
    FULL_BOX_BYTES,
    Box,
    FieldReader,
    Interval,
    blank,
    iter_boxes,
    keep_only,
    zero,
)
from media_service.image.formats.avif.item_references import (
    clean_references,
    reachable_items,
    read_and_scrub_references,
)
from media_service.image.formats.avif.padding import clean_handler, clean_properties, zero_padding

_KEPT_BOXES = frozenset({b"pitm", b"iref", b"iprp", b"iloc", b"iinf", b"idat", b"hdlr"})
_PICTURE_ITEMS = frozenset({b"av01", b"grid", b"iovl", b"iden", b"tmap", b"sato"})
_KEPT_PROPERTIES = frozenset(
    {b"ispe", b"pixi", b"av1C", b"colr", b"auxC", b"irot", b"imir", b"clap", b"pasp", b"a1op"}
    | {b"a1lx", b"lsel", b"clli", b"mdcv", b"cclv", b"amve", b"reve", b"ndwt"}
)
_IN_FILE, _IN_BOX = 0, 1
MAX_EXTENTS = 20_000

ItemExtent = tuple[int, int, int]
"""Construction method, offset and length of one extent of an item."""


class ExtentFormat(NamedTuple):
    """How many bytes each number of an extent takes."""

    offset: int
    length: int
    index_bytes: int


def clean_items(data: bytearray, meta: Box) -> list[Interval]:
    """Overwrite what is not the main picture; return where in the file its bytes are.

    The main picture is the primary item, the items it is composed of, and their auxiliary items
    (transparency). Exif, XMP and thumbnails are items of their own, and are removed.
    """
    parts: dict[bytes, Box] = {}
    for box in iter_boxes(data, meta.body + FULL_BOX_BYTES, meta.end):
        if box.kind in _KEPT_BOXES and box.kind not in parts:
            parts[box.kind] = box
        else:
            blank(data, box)
    if b"hdlr" in parts:
        clean_handler(data, parts[b"hdlr"])
    primary = _read_primary_item(data, parts)
    references = read_and_scrub_references(data, parts[b"iref"]) if b"iref" in parts else []
    wanted = reachable_items(primary, references)
    drawn = _clean_item_infos(data, parts[b"iinf"], wanted) if b"iinf" in parts else set()
    clean_references(data, references, drawn, primary)
    if iprp := parts.get(b"iprp"):
        for box in iter_boxes(data, iprp.body, iprp.end):
            _clean_property_box(data, box)
    return _picture_ranges(data, parts, drawn)


def _read_primary_item(data: bytearray, parts: dict[bytes, Box]) -> int:
    if b"pitm" not in parts:
        raise BrokenImage("the image names no main picture")
    zero_padding(data, parts[b"pitm"])
    fields = FieldReader(data, parts[b"pitm"].body, parts[b"pitm"].end)
    return fields.number(2 if fields.version() == 0 else 4)


def _clean_item_infos(data: bytearray, iinf: Box, wanted: set[int]) -> set[int]:
    """Overwrite names and the entries of other items; return the ids of those that stay."""
    count_bytes = 2 if FieldReader(data, iinf.body, iinf.end).version() == 0 else 4
    drawn = set()
    for box in iter_boxes(data, iinf.body + FULL_BOX_BYTES + count_bytes, iinf.end):
        fields = FieldReader(data, box.body, box.end)
        identifier = fields.number(2 if fields.version() == 2 else 4)  # noqa: PLR2004 - v2 or v3
        fields.number(2)
        at = fields.at
        fields.skip(4)
        if identifier in wanted and bytes(data[at : at + 4]) in _PICTURE_ITEMS:
            drawn.add(identifier)
        else:
            data[at : at + 4] = b"skip"
        zero(data, at + 4, box.end)
    return drawn


def _clean_property_box(data: bytearray, box: Box) -> None:
    if box.kind == b"ipco":
        clean_properties(data, iter_boxes(data, box.body, box.end), _KEPT_PROPERTIES)
    elif box.kind == b"ipma":
        zero(data, _associations_end(data, box), box.end)
    else:
        blank(data, box)


def _associations_end(data: bytearray, ipma: Box) -> int:
    fields = FieldReader(data, ipma.body, ipma.end)
    version, index_bytes = fields.version(), 1 + (data[ipma.body + 3] & 1)
    for _ in range(fields.number(4)):
        fields.number(2 if version == 0 else 4)
        fields.skip(fields.number(1) * index_bytes)
    return fields.at


def _picture_ranges(data: bytearray, parts: dict[bytes, Box], drawn: set[int]) -> list[Interval]:
    extents = _read_extents(data, parts[b"iloc"], drawn) if b"iloc" in parts else []
    if idat := parts.get(b"idat"):
        inside = [(at, length) for method, at, length in extents if method == _IN_BOX]
        keep_only(data, [idat], [(idat.body + at, idat.body + at + n) for at, n in inside])
    return [(at, at + length) for method, at, length in extents if method == _IN_FILE]


def _read_extents(data: bytearray, iloc: Box, drawn: set[int]) -> list[ItemExtent]:
    """Return the pieces of the items that are drawn; of any other, only their number stays."""
    fields = FieldReader(data, iloc.body, iloc.end)
    version = fields.version()
    id_bytes = 2 if version < 2 else 4  # noqa: PLR2004 - as the format has it
    sizes = divmod(fields.number(1), 16)
    base_bytes, index_bytes = divmod(fields.number(1), 16)
    form = ExtentFormat(*sizes, index_bytes if version else 0)
    found: list[ItemExtent] = []
    total = 0
    for _ in range(fields.number(id_bytes)):
        identifier, start = fields.number(id_bytes), fields.at
        method = fields.number(2) & 15 if version else _IN_FILE
        fields.number(2)
        base, before = fields.number(base_bytes), fields.at
        pieces = _extents_of_item(fields, form)
        total += 1 + len(pieces)
        if total > MAX_EXTENTS:
            raise ImageLimitExceeded("the image is in too many pieces")
        if identifier in drawn:
            found += [(method, base + at, length) for at, length in pieces]
        else:
            zero(data, start, before)
            zero(data, before + 2, fields.at)
    zero(data, fields.at, iloc.end)
    if any(not length for _, _, length in found):
        raise BrokenImage("a part of the image has no length")
    return found


def _extents_of_item(fields: FieldReader, form: ExtentFormat) -> list[tuple[int, int]]:
    """Return offset and length of an item's pieces."""
    found = []
    for _ in range(fields.number(2)):
        fields.skip(form.index_bytes)
        found.append((fields.number(form.offset), fields.number(form.length)))
    return found
