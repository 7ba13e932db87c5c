"""From an uploaded file to what is served of it. Only the worker process imports this."""

import hashlib
import mmap
import os
from dataclasses import replace

from PIL import Image

from media_service.image.blurhash import blurhash
from media_service.image.decode import decoded, judged
from media_service.image.encode import encode_within
from media_service.image.errors import UnsupportedImage
from media_service.image.formats.avif.orientation import read_property_orientation
from media_service.image.formats.exif import UPRIGHT
from media_service.image.formats.model import Cleaned
from media_service.image.formats.registry import CODECS
from media_service.image.job_files import PictureFiles
from media_service.image.model import (
    ORIGINAL,
    SIDES,
    Bounds,
    ImageFacts,
    ImageFormat,
    Made,
)
from media_service.image.orientation import apply_orientation, can_encode_again, oriented_frame
from media_service.image.thumbnail import shrink

HEAD_BYTES = 64
_AVIF_BRANDS = {b"avif", b"avis"}
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
            cleaned = replace(cleaned, orientation=read_property_orientation(image))
        first: Image.Image = image
        if cleaned.orientation != UPRIGHT and can_encode_again(image, found):
            first, data = apply_orientation(image, found, cleaned)
        elif cleaned.orientation != UPRIGHT:
            first = oriented_frame(image, cleaned.orientation)
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
        codec = CODECS[found]
        if codec.scan is not None:
            bounds.check(codec.scan(data))
        return found, codec.clean(data)


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


def sniff(head: bytes) -> ImageFormat | None:
    """Return the format that the first `HEAD_BYTES` bytes announce, None for any other."""
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return ImageFormat.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head[4:8] == b"ftyp" and _major_and_compatible_brands(head) & _AVIF_BRANDS:
        return ImageFormat.AVIF
    return None


def _major_and_compatible_brands(head: bytes) -> set[bytes]:
    """Return the major and compatible brands of an ISO media file (ISO/IEC 14496-12 §4.3)."""
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
