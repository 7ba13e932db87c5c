"""The still pictures of an AVIF: which items make the picture, and where their bytes are.

Source: ISO/IEC 14496-12 §8.11, ISO/IEC 23008-12 §6.
"""

from collections.abc import Iterator

from media_service.image.cleaning.boxes import (
    FULL_BOX_BYTES,
    Box,
    Range,
    blank,
    boxes,
    keep_only,
    zero,
)
from media_service.image.cleaning.colour import clean_colour
from media_service.image.cleaning.fields import Fields
from media_service.image.cleaning.slack import clean_handler, trim
from media_service.image.errors import BrokenImage, ImageTooLarge

_KEPT = frozenset({b"pitm", b"iref", b"iprp", b"iloc", b"iinf", b"idat", b"hdlr"})
_DRAWN = frozenset({b"av01", b"grid", b"iovl", b"iden", b"tmap", b"sato"})
_PROPERTIES = frozenset(
    {b"ispe", b"pixi", b"av1C", b"colr", b"auxC", b"irot", b"imir", b"clap", b"pasp", b"a1op"}
    | {b"a1lx", b"lsel", b"clli", b"mdcv", b"cclv", b"amve", b"reve", b"ndwt"}
)
_DRAWING = frozenset({b"dimg", b"auxl", b"prem"})
_REMARK = b"cdsc"
_IN_FILE, _IN_BOX = 0, 1
MAX_EXTENTS = 20_000

Extent = tuple[int, int, int]


def clean_items(data: bytearray, meta: Box) -> list[Range]:
    """Overwrite what is not the main picture; return where in the file its bytes are.

    The main picture is the primary item, what it is put together from, and what is auxiliary to
    those (its transparency). Exif, XMP and thumbnails are items of their own, and go.
    """
    parts: dict[bytes, Box] = {}
    for box in boxes(data, meta.body + FULL_BOX_BYTES, meta.end):
        if box.kind in _KEPT and box.kind not in parts:
            parts[box.kind] = box
        else:
            blank(data, box)
    if b"hdlr" in parts:
        clean_handler(data, parts[b"hdlr"])
    wanted = _wanted(data, parts)
    drawn = _clean_infos(data, parts[b"iinf"], wanted) if b"iinf" in parts else set()
    for box in boxes(data, parts[b"iprp"].body, parts[b"iprp"].end) if b"iprp" in parts else ():
        _clean_properties(data, box)
    return _ranges(data, parts, drawn)


def _wanted(data: bytearray, parts: dict[bytes, Box]) -> set[int]:
    if b"pitm" not in parts:
        raise BrokenImage("the image names no main picture")
    trim(data, parts[b"pitm"])
    fields = Fields(data, parts[b"pitm"].body, parts[b"pitm"].end)
    primary = fields.number(2 if fields.version() == 0 else 4)
    wanted = {primary}
    links = list(_references(data, parts[b"iref"], primary)) if b"iref" in parts else []
    while True:
        more = {target for kind, source, target in links if kind == b"dimg" and source in wanted}
        more |= {source for kind, source, target in links if kind == b"auxl" and target in wanted}
        if more <= wanted:
            return wanted
        wanted |= more


def _references(data: bytearray, iref: Box, primary: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield what draws, from where to where; any other becomes a remark on the main picture."""
    wide = 2 if Fields(data, iref.body, iref.end).version() == 0 else 4
    for box in boxes(data, iref.body + FULL_BOX_BYTES, iref.end):
        fields = Fields(data, box.body, box.end)
        source, count = fields.number(wide), fields.number(2)
        if box.kind in _DRAWING:
            for _ in range(count):
                yield box.kind, source, fields.number(wide)
        else:
            data[box.start + 4 : box.body] = _REMARK
            fields.skip(count * wide)
            data[fields.at - count * wide : fields.at] = primary.to_bytes(wide) * count
        zero(data, fields.at, box.end)


def _clean_infos(data: bytearray, iinf: Box, wanted: set[int]) -> set[int]:
    """Overwrite names and the entries of other items; return the ids of those that stay."""
    count_bytes = 2 if Fields(data, iinf.body, iinf.end).version() == 0 else 4
    drawn = set()
    for box in boxes(data, iinf.body + FULL_BOX_BYTES + count_bytes, iinf.end):
        fields = Fields(data, box.body, box.end)
        identifier = fields.number(2 if fields.version() == 2 else 4)  # noqa: PLR2004 - v2 or v3
        fields.number(2)
        at = fields.at
        if identifier in wanted and bytes(data[at : at + 4]) in _DRAWN:
            drawn.add(identifier)
        else:
            data[at : at + 4] = b"skip"
        zero(data, at + 4, box.end)
    return drawn


def _clean_properties(data: bytearray, box: Box) -> None:
    if box.kind == b"ipco":
        for item in boxes(data, box.body, box.end):
            if item.kind not in _PROPERTIES:
                blank(data, item)
            elif item.kind == b"colr":
                clean_colour(data, item)
            else:
                trim(data, item)
    elif box.kind == b"ipma":
        zero(data, _associations_end(data, box), box.end)
    else:
        blank(data, box)


def _associations_end(data: bytearray, ipma: Box) -> int:
    fields = Fields(data, ipma.body, ipma.end)
    version, wide = fields.version(), 1 + (data[ipma.body + 3] & 1)
    for _ in range(fields.number(4)):
        fields.number(2 if version == 0 else 4)
        for _ in range(fields.number(1)):
            fields.number(wide)
    return fields.at


def _ranges(data: bytearray, parts: dict[bytes, Box], drawn: set[int]) -> list[Range]:
    extents = _locations(data, parts[b"iloc"], drawn) if b"iloc" in parts else []
    if idat := parts.get(b"idat"):
        inside = [(at, length) for method, at, length in extents if method == _IN_BOX]
        keep_only(data, idat, [(idat.body + at, idat.body + at + n) for at, n in inside])
    return [(at, at + length) for method, at, length in extents if method == _IN_FILE]


def _locations(data: bytearray, iloc: Box, drawn: set[int]) -> list[Extent]:
    """Return method, offset and length of the pieces that the items consist of."""
    fields = Fields(data, iloc.body, iloc.end)
    version = fields.version()
    sizes, more = fields.number(1), fields.number(1)
    found: list[tuple[int, int, int, int]] = []
    for _ in range(fields.number(2 if version < 2 else 4)):  # noqa: PLR2004 - as the format has it
        identifier = fields.number(2 if version < 2 else 4)  # noqa: PLR2004 - likewise
        method = fields.number(2) & 15 if version else _IN_FILE
        fields.number(2)
        base = fields.number(more >> 4)
        for _ in range(fields.number(2)):
            if len(found) > MAX_EXTENTS:
                raise ImageTooLarge("the image is in too many pieces")
            fields.number(more & 15 if version else 0)
            at, length = base + fields.number(sizes >> 4), fields.number(sizes & 15)
            found.append((identifier, method, at, length))
    zero(data, fields.at, iloc.end)
    drawing = [(method, at, length) for one, method, at, length in found if one in drawn]
    if any(not length for _, _, length in drawing):
        raise BrokenImage("a part of the image has no length")
    return drawing
