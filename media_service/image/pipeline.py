"""From an uploaded file to its renditions. Only the decoder process imports this."""

import hashlib
import mmap
import os
from dataclasses import replace

from PIL import Image

from media_service.image.blurhash import blurhash
from media_service.image.decode import can_decode, open_decoded, translate_decoder_errors
from media_service.image.encode import encode_within
from media_service.image.errors import UnsupportedImage
from media_service.image.formats.avif.clean import read_property_orientation
from media_service.image.formats.exif import UPRIGHT
from media_service.image.formats.model import CleanedImage
from media_service.image.formats.registry import CODECS
from media_service.image.job_files import JobFiles
from media_service.image.model import (
    MAX_SIDES,
    ORIGINAL,
    DecodeLimits,
    ImageFormat,
    ImageInfo,
    Rendition,
)
from media_service.image.orientation import encode_upright
from media_service.image.thumbnail import flatten, make_thumbnail

HEAD_BYTES = 64
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_OTHER_FORMATS = {
    b"II*\0": "TIFF or raw picture",
    b"MM\0*": "TIFF or raw picture",
    b"BM": "BMP",
    b"<svg": "SVG",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
}
"""Formats that are refused, by their first bytes."""
_NO_HEIC = (
    "This is a HEIC picture, and this server has no decoder for it. Send the picture as JPEG, or "
    "install the extra `heif`, the package pi-heif."
)
_PLACEHOLDER_SIDE = 32


def render(files: JobFiles, limits: DecodeLimits) -> ImageInfo:
    """Write the upload's renditions, synced to disk, and return what it is.

    The file is cleaned first and decoded then: what has been decoded whole is what is served.

    Raises:
        UnsupportedImage: it is none of the six formats by its content.
        BrokenImage: it does not decode whole.
        ImageLimitExceeded: it is out of limits by its header, or memory ran out.
        OSError: there is no room for what would be written.
    """
    image_format, cleaned = _clean_upload(files.source, limits)
    data = bytes(cleaned)
    with open_decoded(data, image_format, limits) as image:
        if image_format is ImageFormat.AVIF:
            cleaned = replace(cleaned, orientation=read_property_orientation(image))
        first: Image.Image = image
        if cleaned.orientation != UPRIGHT or not cleaned.servable:
            first, data = encode_upright(image, image_format, cleaned)
        preview, thumb = (make_thumbnail(first, side) for side in MAX_SIDES.values())
        size, placeholder = first.size, _placeholder(thumb)
    renditions = [_write_rendition(files, ORIGINAL, data)]
    for variant, picture in zip(MAX_SIDES, (preview, thumb), strict=True):
        renditions.append(_write_rendition(files, variant, encode_within(picture, len(data))))
    return ImageInfo(image_format.content_type, *size, placeholder, tuple(renditions))


def _clean_upload(source: int, limits: DecodeLimits) -> tuple[ImageFormat, CleanedImage]:
    head = os.read(source, HEAD_BYTES)
    image_format = detect_format(head)
    if image_format is None:
        raise UnsupportedImage(_describe_unsupported(head))
    if not can_decode(image_format):
        raise UnsupportedImage(_NO_HEIC)
    size = os.lseek(source, 0, os.SEEK_END)  # said to mmap, which might not be let ask for it
    with translate_decoder_errors(), mmap.mmap(source, size, access=mmap.ACCESS_READ) as data:
        codec = CODECS[image_format]
        if codec.scan is not None:
            limits.check(codec.scan(data))
        return image_format, codec.clean(data)


def _describe_unsupported(head: bytes) -> str | None:
    """Return the name of a known other format, with the advice; None for an unknown one."""
    name = next((name for start, name in _OTHER_FORMATS.items() if head.startswith(start)), None)
    if head[4:8] == b"ftyp":
        name = "video"
    return f"This is a {name}. {UnsupportedImage.advice}" if name else None


def _placeholder(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_PLACEHOLDER_SIDE, _PLACEHOLDER_SIDE))
    return blurhash(flatten(small).tobytes(), *small.size)


def _write_rendition(files: JobFiles, variant: str, data: bytes) -> Rendition:
    target, rest = files.target(variant), memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]
    os.fsync(target)
    return Rendition(variant, len(data), hashlib.sha256(data).hexdigest())


def detect_format(head: bytes) -> ImageFormat | None:
    """Return the format that the first `HEAD_BYTES` bytes announce, None for any other."""
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return ImageFormat.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    brands = _brands(head) if head[4:8] == b"ftyp" else set()
    if brands & _AVIF_BRANDS:
        return ImageFormat.AVIF
    return ImageFormat.HEIF if brands & _HEIF_BRANDS else None


def _brands(head: bytes) -> set[bytes]:
    """Return the major and compatible brands of an ISO media file (ISO/IEC 14496-12 §4.3)."""
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
