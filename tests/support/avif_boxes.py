"""Parses and rewrites the boxes of an AVIF, to hide things between them."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_BEFORE_PARTS = {
    **dict.fromkeys(b"moov trak edts mdia minf stbl iprp ipco".split(), 0),
    b"meta": 4,
    b"iref": 4,
    b"grpl": 0,
    b"stsd": 8,
    b"dref": 8,
    b"av01": 78,
}
"""Boxes that hold other boxes, and how many bytes of their own come first."""


@dataclass
class Box:
    """A box: its own bytes, then the boxes inside it."""

    kind: bytes
    own: bytes = b""
    parts: list["Box"] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        body = self.own + b"".join(map(bytes, self.parts))
        return struct.pack(">I", 8 + len(body)) + self.kind + body

    def walk(self) -> Iterator["Box"]:
        yield self
        for one in self.parts:
            yield from one.walk()


def parse_boxes(data: bytes) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        end = at + int.from_bytes(data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : end]
        own = _BEFORE_PARTS.get(kind, len(body))
        found.append(Box(kind, body[:own], parse_boxes(body[own:])))
        at = end
    return found


def change_box(avif: bytes, outer: bytes, change: Callable[[Box], None]) -> bytes:
    """Change one outer box and move it to the end of the file, so that no offset changes."""
    boxes = parse_boxes(avif)
    at = next(index for index, box in enumerate(boxes) if box.kind == outer)
    box, boxes[at] = boxes[at], Box(b"free", bytes(len(bytes(boxes[at])) - 8))
    change(box)
    return b"".join(map(bytes, [*boxes, box]))
