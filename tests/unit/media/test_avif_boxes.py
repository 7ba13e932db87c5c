"""Nothing hides in the boxes of an AVIF, nor behind what they say; its own turn is obeyed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageSequence, ImageStat

from media_service.image.errors import BrokenImage
from tests.support.avif_boxes import Box, change_box, parse_boxes
from tests.support.metadata_samples import SECRET, open_image, with_metadata
from tests.support.pictures import animate, draw
from tests.support.renditions import render_picture

pytestmark = pytest.mark.usefixtures("decoders")

TURNS = {
    (1, None): Image.Transpose.ROTATE_90,
    (2, None): Image.Transpose.ROTATE_180,
    (3, None): Image.Transpose.ROTATE_270,
    (None, 0): Image.Transpose.FLIP_TOP_BOTTOM,
    (None, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0): Image.Transpose.TRANSPOSE,
}
"""By the quarters against the clock and the axis of the mirror that the file names."""


def clear(frames: int) -> bytes:
    """A picture with transparency, which is an item or a track of its own."""
    pictures = [draw(seed=seed, mode="RGBA") for seed in range(frames)]
    for picture in pictures:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    target, many = io.BytesIO(), {"save_all": True, "append_images": pictures[1:]}
    pictures[0].save(target, "AVIF", **(many if frames > 1 else {}))
    return target.getvalue()


def pixels(avif: bytes) -> list[bytes]:
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(avif)))
    return [frame.convert("RGBA").tobytes() for frame in frames]


STILL, MOVING = clear(1), clear(3)
PLACES = [
    (name, outer, at, box.kind.decode())
    for name, avif, outer in (
        ("still", STILL, b"meta"),
        ("moving", MOVING, b"meta"),
        ("moving", MOVING, b"moov"),
    )
    for at, box in enumerate(next(one for one in parse_boxes(avif) if one.kind == outer).walk())
]


def hide(at: int, hidden: Callable[[Box], None]) -> Callable[[Box], None]:
    return lambda outer: hidden(list(outer.walk())[at])


def behind(box: Box) -> None:
    """Hide something behind what a box says, or in a box of its own."""
    if box.parts:
        box.parts.append(Box(b"uuid", SECRET))
    else:
        box.own += SECRET


@pytest.mark.parametrize(("name", "outer", "at", "kind"), PLACES)
def test_avif_secret_behind_box_content_is_removed_or_refused(
    name: str, outer: bytes, at: int, kind: str, tmp_path: Path
) -> None:
    """A decoder that takes no notice of it gets the same picture; one that does has refused it."""
    avif = {"still": STILL, "moving": MOVING}[name]
    hiding = change_box(avif, outer, hide(at, behind))
    assert SECRET in hiding
    try:
        _, made = render_picture(tmp_path, hiding)
    except BrokenImage:
        assert kind in {"iinf", "iref", "auxl", "iprp", "stsd", "dinf", "tref"}
        return
    assert not [variant for variant, data in made.items() if SECRET in data]
    assert pixels(made["original"]) == pixels(avif)


def within(kind: bytes, start: int) -> Callable[[Box], None]:
    """Hide something in the fields of a box that nobody reads."""

    def hidden(outer: Box) -> None:
        for box in outer.walk():
            if box.kind == kind:
                box.own = box.own[:start] + SECRET + box.own[start + len(SECRET) :]

    return hidden


UNREAD: dict[str, tuple[bytes, Callable[[Box], None]]] = {
    "a header's reserved bytes": (b"moov", within(b"mvhd", 38)),
    "a header's matrix": (b"moov", within(b"mvhd", 48)),
    "a header's later bytes": (b"moov", within(b"mvhd", 90)),
    "a track's matrix": (b"moov", within(b"tkhd", 60)),
    "a description's reserved bytes": (b"moov", within(b"av01", 10)),
    "a compressor's name": (b"moov", within(b"av01", 50)),
    "where data are said to be": (b"moov", within(b"dinf", 20)),
    "a handler's reserved bytes": (b"meta", within(b"hdlr", 12)),
    "a handler's name": (b"meta", within(b"hdlr", 24)),
}


@pytest.mark.parametrize("place", UNREAD)
def test_avif_secret_in_unread_fields_is_removed(place: str, tmp_path: Path) -> None:
    hiding = change_box(MOVING, *UNREAD[place])
    assert SECRET in hiding
    _, made = render_picture(tmp_path, hiding)
    assert SECRET not in made["original"]
    assert pixels(made["original"]) == pixels(MOVING)


def add(parent: bytes, *boxes: Box) -> Callable[[Box], None]:
    return lambda outer: next(one for one in outer.walk() if one.kind == parent).parts.extend(boxes)


STRANGE = {
    kind.decode(): (outer, add(parent, Box(kind, SECRET * 2)))
    for outer, parent, kinds in (
        (b"meta", b"meta", b"free skip uuid udta bxml ipro dinf idat grpl"),
        (b"meta", b"ipco", b"udes uuid free cmin rloc"),
        (b"moov", b"moov", b"udta uuid meta mvex iods free"),
        (b"moov", b"trak", b"udta uuid meta free"),
        (b"moov", b"stbl", b"sdtp sbgp sgpd saiz uuid"),
    )
    for kind in kinds.split()
}
STRANGE["a link"] = (b"meta", add(b"iref", Box(b"SECR", b"\0\1\0\3" + SECRET)))
STRANGE["a configuration"] = (b"moov", add(b"av01", Box(b"av1C", b"\x81\0\0\0" + SECRET)))


@pytest.mark.parametrize("name", STRANGE)
def test_avif_boxes_that_draw_nothing_are_removed(name: str, tmp_path: Path) -> None:
    hiding = change_box(MOVING, *STRANGE[name])
    assert SECRET in hiding or name == "a link"
    _, made = render_picture(tmp_path, hiding)
    assert SECRET not in made["original"]
    assert b"SECR" not in made["original"]
    assert pixels(made["original"]) == pixels(MOVING)


@pytest.mark.parametrize("kind", [b"free", b"skip", b"uuid", b"mdat", b"wide"])
def test_avif_secret_beside_the_boxes_is_removed(kind: bytes, tmp_path: Path) -> None:
    """Nor in media data that no picture refers to."""
    for avif in (STILL, MOVING):
        _, made = render_picture(tmp_path, avif + bytes(Box(kind, SECRET)))
        assert SECRET not in made["original"]
        assert pixels(made["original"]) == pixels(avif)


@pytest.mark.parametrize("turn", TURNS)
def test_avif_animation_turned_by_property_is_upright(
    turn: tuple[int | None, int | None], tmp_path: Path
) -> None:
    quarters, axis = turn
    more: list[Box] = [] if quarters is None else [Box(b"irot", bytes([quarters]))]
    more += [] if axis is None else [Box(b"imir", bytes([axis]))]
    lying = animate(
        "AVIF", 3, size=(320, 240), duration=[40, 80, 120], quality=90, subsampling="4:4:4"
    )
    info, made = render_picture(tmp_path, change_box(lying, b"moov", add(b"av01", *more)))
    image = Image.open(io.BytesIO(made["original"]))
    assert not dict(image.getexif())
    assert (info.width, info.height) == image.size
    wanted = [frame.convert("RGB").transpose(TURNS[turn]) for frame in _frames(lying)]
    shown = [frame.convert("RGB") for frame in _frames(made["original"])]
    assert [frame.size for frame in shown] == [image.size] * 3
    assert max(map(_difference, shown, wanted)) < 3
    assert _difference(open_image(made["preview"]).convert("RGB"), wanted[0]) < 8


def _frames(avif: bytes) -> list[Image.Image]:
    return [frame.copy() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(avif)))]


def _difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_avif_animation_exif_is_removed(tmp_path: Path) -> None:
    picture = with_metadata("AVIF", frames=2)
    _, made = render_picture(tmp_path, picture)
    assert b"Exif" in picture
    assert b"Exif" not in made["original"]


def test_avif_auxiliary_picture_of_unknown_kind_is_removed(tmp_path: Path) -> None:
    def rename(outer: Box) -> None:
        for box in outer.walk():
            if box.kind == b"auxC":
                box.own = box.own[:4] + b"urn:" + SECRET + b"\0"

    options: Any = change_box(STILL, b"meta", rename)
    _, made = render_picture(tmp_path, options)
    assert SECRET not in made["original"]
