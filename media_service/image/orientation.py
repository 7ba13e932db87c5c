"""A picture that cannot be served as it is, encoded again: upright, so that no viewer turns it."""

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image

from media_service.image.decode import frame_count, seek_frame
from media_service.image.formats.avif.clean import can_encode_avif
from media_service.image.formats.model import CleanedImage
from media_service.image.formats.png.png16 import is_png16, transpose_png16
from media_service.image.formats.registry import CODECS
from media_service.image.model import ImageFormat
from media_service.image.thumbnail import flatten

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition for each orientation of Exif. Source: CIPA DC-008 §4.6.4."""
_DISPLAY_INFO = ("icc_profile", "transparency")
"""Data beside the pixels that changes how they look."""


def encode_upright(
    image: Image.Image, image_format: ImageFormat, cleaned: CleanedImage
) -> tuple[Image.Image, bytes]:
    """Return the first frame as it is meant to be seen, and the whole file encoded so.

    HEIC becomes a JPEG. JPEG keeps its own quantisation tables, turned as well, and its sampling
    where Pillow can write it; PNG and lossless WebP lose nothing, nor does a PNG its transparency
    and colour space; lossy WebP and AVIF are encoded well above the quality at which a difference
    can be seen. The rotation of an AVIF that is too large to be encoded stays.
    """
    transpose = _TRANSPOSES.get(cleaned.orientation)
    if image_format is ImageFormat.AVIF and not can_encode_avif(image):
        return _oriented_frame(image, transpose), bytes(cleaned)
    if transpose is not None and image_format is ImageFormat.PNG and is_png16(cleaned.pieces):
        return _oriented_frame(image, transpose), transpose_png16(cleaned.pieces, transpose)
    codec = CODECS[image_format]
    options = codec.encoder_options(image, cleaned)
    shown = {name: image.info[name] for name in _DISPLAY_INFO if image.info.get(name) is not None}
    first, *rest = list(_frames(image, transpose))
    if rest:
        options |= {"save_all": True, "append_images": rest} | _timing(image)
    _release(image)
    target = io.BytesIO()
    first = flatten(first) if image_format is ImageFormat.HEIF else first
    first.info.clear()
    first.save(target, image_format.served, exif=b"", xmp=b"", **(shown | options))
    first.info.update({name: options.get(name, value) for name, value in shown.items()})
    return first, codec.finish(target.getvalue(), cleaned)


def _oriented_frame(image: Image.Image, transpose: Image.Transpose | None) -> Image.Image:
    turned = _turn(image, transpose)
    if profile := image.info.get("icc_profile"):
        turned.info["icc_profile"] = profile
    return turned


def _release(image: Image.Image) -> None:
    """Free the original picture, and a WebP's decoder with its canvases: encoding needs the room.

    Closing a picture keeps its decoder.
    """
    image.close()
    vars(image).pop("_decoder", None)


def _turn(image: Image.Image, transpose: Image.Transpose | None) -> Image.Image:
    return image.copy() if transpose is None else image.transpose(transpose)


def _frames(image: Image.Image, transpose: Image.Transpose | None) -> Iterator[Image.Image]:
    for frame in range(frame_count(image)):
        seek_frame(image, frame)
        yield _turn(image, transpose)


def _timing(image: Image.Image) -> dict[str, Any]:
    """Return how long each frame is shown, in milliseconds, and how often all of them."""
    durations = []
    for frame in range(frame_count(image)):
        image.seek(frame)
        image.load()
        durations.append(int(image.info.get("duration", 100)))
    if image.info.get("default_image"):
        del durations[0]  # of the picture that is no frame
    return {"duration": durations, "loop": int(image.info.get("loop", 0))}
