"""What foreign boxes of an AVIF say is neither kept nor worth much work."""

import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.avif.clean import clean_avif
from tests.support.avif_boxes import Box, change_box, parse_boxes
from tests.support.metadata_samples import SECRET
from tests.support.renditions import render_picture
from tests.unit.media.test_avif_boxes import MOVING, STILL, add, pixels

pytestmark = pytest.mark.usefixtures("decoders")


def track(samples: int, at: int, size: int, *, chunks: int = 1) -> Box:
    """A track of foreign pictures, all of whose chunks begin at one place."""
    tables = [
        Box(b"stsz", struct.pack(">3I", 0, size, samples)),
        Box(b"stco", struct.pack(">2I", 0, chunks) + struct.pack(">I", at) * chunks),
        Box(b"stsc", struct.pack(">5I", 0, 1, 1, samples, 1)),
    ]
    handler = Box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    return Box(
        b"trak",
        parts=[Box(b"mdia", parts=[handler, Box(b"minf", parts=[Box(b"stbl", b"", tables)])])],
    )


def test_avif_movie_in_a_still_is_removed(tmp_path: Path) -> None:
    """One that no brand announces is read by nobody, and its samples are not either."""
    foreign = Box(b"moov", parts=[track(1, len(STILL) + 8, len(SECRET))])
    hiding = STILL + bytes(Box(b"mdat", SECRET)) + bytes(foreign)
    _, made = render_picture(tmp_path, hiding)
    assert SECRET not in made["original"]
    assert b"moov" not in made["original"]
    assert pixels(made["original"]) == pixels(STILL)


@pytest.mark.parametrize("movies", [1, 10])
def test_avif_too_many_tracks_are_refused(movies: int) -> None:
    """What each may have is bounded, so that their number has to be too."""
    boxes = parse_boxes(MOVING)
    more = bytes(Box(b"moov", parts=[track(10_000, 0, 1, chunks=10_000)] * (20 // movies)))
    with pytest.raises((BrokenImage, ImageLimitExceeded)):
        clean_avif(b"".join(map(bytes, boxes[:1])) + more * movies)


def count(outer: Box, kind: bytes, at: int, entries: Sequence[bytes]) -> None:
    """Add entries to a table whose 16-bit count stands at an offset."""
    table = next(one for one in outer.walk() if one.kind == kind)
    number = int.from_bytes(table.own[at : at + 2]) + len(entries)
    table.own = table.own[:at] + struct.pack(">H", number) + table.own[at + 2 :] + b"".join(entries)


IDLE: dict[str, Callable[[Box], None]] = {
    "pieces of what is not drawn": lambda outer: count(
        outer, b"iloc", 6, [struct.pack(">3H", 900, 0, 4) + SECRET.ljust(32, b"!")]
    ),
    "parts of what is not drawn": add(
        b"iref", Box(b"dimg", struct.pack(">2H", 999, len(SECRET) // 2) + SECRET)
    ),
    "what else it is auxiliary to": add(
        b"iref", Box(b"auxl", struct.pack(">3H", 2, 1 + len(SECRET) // 2, 1) + SECRET)
    ),
}


@pytest.mark.parametrize("name", IDLE)
def test_avif_numbers_that_are_not_read_are_cleared(name: str, tmp_path: Path) -> None:
    hiding = change_box(STILL, b"meta", IDLE[name])
    assert SECRET in hiding
    _, made = render_picture(tmp_path, hiding)
    assert SECRET not in made["original"]
    assert pixels(made["original"]) == pixels(STILL)


def steps_of_cleaning(avif: bytes) -> int:
    """How many lines run: the work there is, however busy the machine."""
    steps = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        clean_avif(avif)
    finally:
        sys.settrace(before)
    return steps


def chained(links: int) -> bytes:
    def chain(outer: Box) -> None:
        iref = next(one for one in outer.walk() if one.kind == b"iref")
        iref.parts = [Box(b"dimg", struct.pack(">3H", at, 1, at + 1)) for at in range(1, links)]

    return change_box(STILL, b"meta", chain)


def scattered(places: int) -> bytes:
    movie = change_box(MOVING, b"moov", add(b"moov", track(1, 0, 1, chunks=places)))
    return movie + bytes(Box(b"mdat")) * places


@pytest.mark.parametrize("made", [chained, scattered])
def test_avif_cleaning_of_larger_file_takes_linear_work(made: Callable[[int], bytes]) -> None:
    small, large = (steps_of_cleaning(made(size)) for size in (100, 400))
    assert large < 5 * small


class Long(Box):
    """A box whose size takes 64 bits."""

    def __bytes__(self) -> bytes:
        return struct.pack(">I4sQ", 1, self.kind, 16 + len(self.own)) + self.own


@pytest.mark.parametrize("kind", [b"cdsc", b"zzzz"])
def test_avif_reference_with_64_bit_size_is_kept(kind: bytes, tmp_path: Path) -> None:
    def link(outer: Box) -> None:
        iref = next(one for one in outer.walk() if one.kind == b"iref")
        iref.parts.insert(0, Long(kind, struct.pack(">3H", 1, 1, 1)))

    avif = change_box(STILL, b"meta", link)
    assert len(bytes(clean_avif(avif))) == len(avif)
    _, made = render_picture(tmp_path, avif)
    assert pixels(made["original"]) == pixels(STILL)


def referring(place: Box) -> Callable[[Box], None]:
    def refer(outer: Box) -> None:
        for box in outer.walk():
            if box.kind == b"dinf":
                box.own = bytes(Box(b"dref", struct.pack(">2I", 0, 1) + bytes(place)))

    return refer


def test_avif_data_reference_with_64_bit_size_is_kept(tmp_path: Path) -> None:
    avif = change_box(MOVING, b"moov", referring(Long(b"url ", b"\0\0\0\1")))
    assert len(bytes(clean_avif(avif))) == len(avif)
    _, made = render_picture(tmp_path, avif)
    assert pixels(made["original"]) == pixels(MOVING)


SHORT = {
    "where data are": change_box(MOVING, b"moov", referring(Box(b"url "))),
    "a brand": bytes(Box(b"ftyp")) + STILL,
    "a header at the end": MOVING + bytes(Box(b"moov", parts=[Box(b"mvhd")])),
}


@pytest.mark.parametrize("name", SHORT)
def test_avif_box_too_short_is_broken_image(name: str) -> None:
    with pytest.raises(BrokenImage):
        clean_avif(SHORT[name])


def wide_primary(outer: Box) -> None:
    for box in outer.walk():
        if box.kind == b"pitm":
            box.own = struct.pack(">2I", 1 << 24, 70_000)


def repeated(kind: bytes, at: int, entry: bytes, times: int) -> Callable[[Box], None]:
    return lambda outer: count(outer, kind, at, [entry] * times)


TOO_MANY: dict[str, Callable[[Box], None]] = {
    "places": repeated(b"iloc", 6, struct.pack(">3H", 900, 0, 0), 20_001),
    "pieces": repeated(b"iloc", 6, struct.pack(">3H", 900, 0, 4000) + bytes(32_000), 6),
    "links": add(b"iref", Box(b"dimg", struct.pack(">2H", 9, 20_001) + bytes(40_002))),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_avif_still_with_too_many_items_is_refused(name: str) -> None:
    with pytest.raises(ImageLimitExceeded):
        clean_avif(change_box(STILL, b"meta", TOO_MANY[name]))


def test_avif_primary_item_beyond_16_bits_is_refused() -> None:
    with pytest.raises(BrokenImage):
        clean_avif(change_box(STILL, b"meta", wide_primary))
