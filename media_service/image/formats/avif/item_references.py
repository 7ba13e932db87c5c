"""The references between the items of an AVIF. Source: ISO/IEC 14496-12 §8.11.12."""

from typing import NamedTuple

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.avif.boxes import (
    FULL_BOX_BYTES,
    Box,
    FieldReader,
    iter_boxes,
    zero,
)

MAX_REFERENCES = 20_000
_COMPOSING = frozenset({b"dimg", b"auxl", b"prem"})
_DESCRIBES = b"cdsc"


class ItemReference(NamedTuple):
    """From one item to others, whose ids lie from `at` on and take `id_bytes` bytes each."""

    box: Box
    source: int
    targets: list[int]
    at: int
    id_bytes: int


def read_and_scrub_references(data: bytearray, iref: Box) -> list[ItemReference]:
    """Return all references, and zero what follows each.

    Raises:
        ImageLimitExceeded: there are more than a picture needs.
    """
    id_bytes = 2 if FieldReader(data, iref.body, iref.end).version() == 0 else 4
    found, total = [], 0
    for box in iter_boxes(data, iref.body + FULL_BOX_BYTES, iref.end):
        fields = FieldReader(data, box.body, box.end)
        source, count = fields.number(id_bytes), fields.number(2)
        total += count
        if total > MAX_REFERENCES:
            raise ImageLimitExceeded("the image is in too many pieces")
        at = fields.at
        targets = [fields.number(id_bytes) for _ in range(count)]
        zero(data, fields.at, box.end)
        found.append(ItemReference(box, source, targets, at, id_bytes))
    return found


def reachable_items(primary: int, references: list[ItemReference]) -> set[int]:
    """Return the primary item, the items it is composed of, and their auxiliary items."""
    onward: dict[int, list[int]] = {}
    for reference in references:
        if reference.box.kind == b"dimg":
            onward.setdefault(reference.source, []).extend(reference.targets)
        elif reference.box.kind == b"auxl":
            for target in reference.targets:
                onward.setdefault(target, []).append(reference.source)
    found: set[int] = set()
    waiting = [primary]
    while waiting:
        item = waiting.pop()
        if item not in found:
            found.add(item)
            waiting += onward.get(item, ())
    return found


def clean_references(
    data: bytearray, references: list[ItemReference], drawn: set[int], primary: int
) -> None:
    """Replace each reference between other items by a description of the primary item."""
    for reference in references:
        if reference.box.kind in _COMPOSING and drawn.issuperset(
            (reference.source, *reference.targets)
        ):
            continue
        data[reference.box.start + 4 : reference.box.start + 8] = _DESCRIBES
        if primary >= 256**reference.id_bytes:
            raise BrokenImage("a reference of the image cannot name its main picture")
        names = primary.to_bytes(reference.id_bytes) * len(reference.targets)
        data[reference.at : reference.at + len(names)] = names
