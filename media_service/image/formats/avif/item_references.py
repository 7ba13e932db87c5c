"""Which items of an AVIF a picture is put together from. Source: ISO/IEC 14496-12 §8.11.12."""

from typing import NamedTuple

from media_service.image.errors import BrokenImage, ImageTooLarge
from media_service.image.formats.avif.boxes import FULL_BOX_BYTES, Box, boxes, zero
from media_service.image.formats.avif.fields import Fields

MAX_LINKS = 20_000
_DRAWING = frozenset({b"dimg", b"auxl", b"prem"})
_REMARK = b"cdsc"


class Link(NamedTuple):
    """From one item to others, whose numbers lie from `at` on and are `wide` bytes each."""

    box: Box
    source: int
    targets: list[int]
    at: int
    wide: int


def read_links(data: bytearray, iref: Box) -> list[Link]:
    """Return all links, and overwrite what follows each.

    Raises:
        ImageTooLarge: there are more than a picture needs.
    """
    wide = 2 if Fields(data, iref.body, iref.end).version() == 0 else 4
    found, total = [], 0
    for box in boxes(data, iref.body + FULL_BOX_BYTES, iref.end):
        fields = Fields(data, box.body, box.end)
        source, count = fields.number(wide), fields.number(2)
        total += count
        if total > MAX_LINKS:
            raise ImageTooLarge("the image is in too many pieces")
        at = fields.at
        targets = [fields.number(wide) for _ in range(count)]
        zero(data, fields.at, box.end)
        found.append(Link(box, source, targets, at, wide))
    return found


def reached(primary: int, links: list[Link]) -> set[int]:
    """Return the primary item, what it is put together from, and what is auxiliary to those."""
    onward: dict[int, list[int]] = {}
    for link in links:
        if link.box.kind == b"dimg":
            onward.setdefault(link.source, []).extend(link.targets)
        elif link.box.kind == b"auxl":
            for target in link.targets:
                onward.setdefault(target, []).append(link.source)
    found: set[int] = set()
    waiting = [primary]
    while waiting:
        item = waiting.pop()
        if item not in found:
            found.add(item)
            waiting += onward.get(item, ())
    return found


def clean_links(data: bytearray, links: list[Link], drawn: set[int], primary: int) -> None:
    """Make a remark on the main picture of each link that does not join what is drawn."""
    for link in links:
        if link.box.kind in _DRAWING and drawn.issuperset((link.source, *link.targets)):
            continue
        data[link.box.start + 4 : link.box.start + 8] = _REMARK
        if primary >= 256**link.wide:
            raise BrokenImage("a link of the image cannot name its main picture")
        names = primary.to_bytes(link.wide) * len(link.targets)
        data[link.at : link.at + len(names)] = names
