"""AVIF: cleaned by zeroing everything but the picture, oriented, and encoded again.

Source: AV1 Image File Format 1.2, HEIF.

Nothing moves, so no offset in the file has to be rewritten. Removed boxes become free space full of
zeros. Of the media data, only the bytes that the kept pictures refer to stay.
"""

from typing import Any

from PIL import Image

from media_service.image.decode import frame_count
from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.avif.boxes import (
    FREE,
    FULL_BOX_BYTES,
    MAX_BOXES,
    Box,
    Interval,
    blank,
    keep_only,
    read_box,
    zero,
)
from media_service.image.formats.avif.items import clean_items
from media_service.image.formats.avif.tracks import clean_movie
from media_service.image.formats.exif import ORIENTATION_TAG, UPRIGHT
from media_service.image.formats.model import CleanedImage
from media_service.image.model import ImageBytes

_TOP_LEVEL_BOXES = frozenset(
    {b"ftyp", b"meta", b"moov", b"mdat", b"free", b"skip", b"uuid", b"wide", b"styp", b"pdin"}
)
_KNOWN_BRANDS = frozenset(
    {b"avif", b"avis", b"avio", b"mif1", b"mif2", b"msf1", b"miaf", b"MA1A", b"MA1B", b"tmap"}
    | {b"iso%x" % number for number in range(3, 13)}
    | {b"isom", b"av01", b"MiHB", b"MiPr"}
)
_MAX_ENCODED_PIXELS = 4_000_000
"""The encoder of AV1 exceeds the time and memory of a job with more pixels."""
_SEQUENCE_BRAND = b"avis"
"""Without this brand the file is a still picture, even if it has a movie."""


def clean_avif(data: ImageBytes) -> CleanedImage:
    """Return the file with its pictures bit for bit; their rotation stays a property."""
    content = bytearray(data)
    top_boxes = _read_top_boxes(content)
    ranges: list[Interval] = []
    moving = any(
        box.kind == b"ftyp" and _SEQUENCE_BRAND in _brands(content, box).values()
        for box in top_boxes
    )
    for box in top_boxes:
        if box.kind == b"ftyp":
            _clean_brands(content, box)
        elif box.kind == b"meta":
            ranges += clean_items(content, box)
        elif box.kind == b"moov" and moving:
            ranges += clean_movie(content, box)
        elif box.kind != b"mdat":
            blank(content, box)
    keep_only(content, [box for box in top_boxes if box.kind == b"mdat"], ranges)
    return CleanedImage([bytes(content[: _used_end(content, top_boxes)])], lossless=False)


def _read_top_boxes(data: bytearray) -> list[Box]:
    """Return the file's boxes, as far as there are any that can be."""
    top_boxes: list[Box] = []
    start = 0
    while (box := read_box(data, start, len(data))) and box.kind in _TOP_LEVEL_BOXES:
        top_boxes.append(box)
        start = box.end
        if len(top_boxes) > MAX_BOXES:
            raise ImageLimitExceeded("the image has too many boxes")
    kinds = [box.kind for box in top_boxes]
    if max(kinds.count(b"meta"), kinds.count(b"moov")) > 1:
        raise BrokenImage("the image describes itself twice")
    return top_boxes


def _used_end(data: bytearray, top_boxes: list[Box]) -> int:
    """Return where the last box ends that is not free space."""
    used = [box.end for box in top_boxes if data[box.start + 4 : box.start + 8] != FREE]
    return max(used, default=0)


def _brands(data: bytearray, box: Box) -> dict[int, bytes]:
    """Return the brands that the file announces, by their offset."""
    if box.end - box.body < 2 * FULL_BOX_BYTES:
        raise BrokenImage("the image ends within a box")
    places = (box.body, *range(box.body + 8, box.end - 3, 4))
    return {at: bytes(data[at : at + 4]) for at in places}


def _clean_brands(data: bytearray, box: Box) -> None:
    for at, brand in _brands(data, box).items():
        if brand not in _KNOWN_BRANDS:
            data[at : at + 4] = b"mif1"
    zero(data, box.body + 4, box.body + 2 * FULL_BOX_BYTES)  # the minor version means nothing
    zero(data, box.end - (box.end - box.body) % 4, box.end)


def can_encode_avif(image: Image.Image) -> bool:
    """Return whether the picture is small enough to be encoded again.

    The rotation of a larger one stays: it is no metadata but a property that every decoder obeys.
    """
    frames = frame_count(image)
    limit = _MAX_ENCODED_PIXELS if frames == 1 else _MAX_ENCODED_PIXELS // 2  # frames take longer
    return image.width * image.height * frames <= limit


def read_property_orientation(image: Image.Image) -> int:
    """Return the orientation that an AVIF has without Exif, by its own rotation and mirroring."""
    return int(image.getexif().get(ORIENTATION_TAG, UPRIGHT))


def avif_encoder_options(_image: Image.Image, _cleaned: CleanedImage) -> dict[str, Any]:
    """Return a quality well above that at which a difference can be seen."""
    return {"quality": 90, "speed": 10, "subsampling": "4:4:4", "max_threads": 1}
