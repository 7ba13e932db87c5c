"""From an uploaded file to what is served of it. Only the worker process imports this."""

import hashlib
import mmap
import os
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from media_service.image.blurhash import blurhash
from media_service.image.cleaning.avif import clean_avif
from media_service.image.cleaning.gif import clean_gif
from media_service.image.cleaning.jpeg import clean_jpeg
from media_service.image.cleaning.model import Cleaned
from media_service.image.cleaning.orientation import UPRIGHT
from media_service.image.cleaning.png import clean_png
from media_service.image.cleaning.webp import clean_webp
from media_service.image.decode import decoded, judged, turned_by_property
from media_service.image.encode import encode_within
from media_service.image.errors import UnsupportedImage
from media_service.image.files import PictureFiles
from media_service.image.gif import scan_gif
from media_service.image.jpeg import scan_jpeg
from media_service.image.model import (
    ORIGINAL,
    SIDES,
    Bounds,
    Extent,
    ImageFacts,
    ImageFormat,
    Made,
    Source,
)
from media_service.image.png import scan_png
from media_service.image.shrink import shrink
from media_service.image.sniff import HEAD_BYTES, sniff
from media_service.image.upright import as_seen, can_stand_up, stand_up
from media_service.image.webp import scan_webp

_SCANS: dict[ImageFormat, Callable[[Source], Extent]] = {
    ImageFormat.JPEG: scan_jpeg,
    ImageFormat.PNG: scan_png,
    ImageFormat.GIF: scan_gif,
    ImageFormat.WEBP: scan_webp,
}
"""AVIF has no scan of its own: libavif reads a bounded header without decoding."""

_CLEANERS: dict[ImageFormat, Callable[[Source], Cleaned]] = {
    ImageFormat.JPEG: clean_jpeg,
    ImageFormat.PNG: clean_png,
    ImageFormat.GIF: clean_gif,
    ImageFormat.WEBP: clean_webp,
    ImageFormat.AVIF: clean_avif,
}
_PLACEHOLDER_SIDE = 32
_WHITE = (255, 255, 255, 255)


def render(files: PictureFiles, bounds: Bounds) -> ImageFacts:
    """Write what is served of the upload, synced to disk, and return what it is.

    The file is cleaned first and decoded then: what has been decoded whole is what is served.

    Raises:
        UnsupportedImage: it is none of the five formats by its content.
        BrokenImage: it does not decode whole.
        ImageTooLarge: it is out of bounds by its header, or memory ran out.
        OSError: there is no room for what would be written.
    """
    found, cleaned = _clean(files.source, bounds)
    data = bytes(cleaned)
    with decoded(data, found, bounds) as image:
        if found is ImageFormat.AVIF:
            cleaned = replace(cleaned, orientation=turned_by_property(image))
        first: Image.Image = image
        if cleaned.orientation != UPRIGHT and can_stand_up(image, found):
            first, data = stand_up(image, found, cleaned)
        elif cleaned.orientation != UPRIGHT:
            first = as_seen(image, cleaned.orientation)
        preview, thumb = (shrink(first, side) for side in SIDES.values())
        size, placeholder = first.size, _placeholder(thumb)
    made = [_write(files, ORIGINAL, data)]
    for variant, picture in zip(SIDES, (preview, thumb), strict=True):
        made.append(_write(files, variant, encode_within(picture, len(data))))
    return ImageFacts(found.content_type, *size, placeholder, tuple(made))


def _clean(source: int, bounds: Bounds) -> tuple[ImageFormat, Cleaned]:
    found = sniff(os.read(source, HEAD_BYTES))
    if found is None:
        raise UnsupportedImage
    size = os.lseek(source, 0, os.SEEK_END)  # said to mmap, which might not be let ask for it
    with judged(), mmap.mmap(source, size, access=mmap.ACCESS_READ) as data:
        if scan := _SCANS.get(found):
            bounds.check(scan(data))
        return found, _CLEANERS[found](data)


def _placeholder(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_PLACEHOLDER_SIDE, _PLACEHOLDER_SIDE))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, _WHITE), small).convert("RGB")
    return blurhash(small.tobytes(), *small.size)


def _write(files: PictureFiles, variant: str, data: bytes) -> Made:
    target, rest = files.target(variant), memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]
    os.fsync(target)
    return Made(variant, len(data), hashlib.sha256(data).hexdigest())
