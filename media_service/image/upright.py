"""Pictures that lie on their side, encoded anew so that nobody has to know it."""

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image, JpegImagePlugin

from media_service.image.cleaning.model import Cleaned
from media_service.image.decode import frame_count
from media_service.image.deep_png import is_deep, turn_deep
from media_service.image.model import ImageFormat
from media_service.image.upright_png import png_extras, with_colours

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What Exif's orientations ask for. Source: CIPA DC-008 §4.6.4."""
_FIRST_SIDEWAYS = 5
_SIDE = 8
_MANY_PIXELS = 8_000_000
_AV1_PIXELS = 4_000_000
"""As many as AV1 is encoded of within the worker's time and memory; its encoder dies for want."""
_SAMPLED = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_FLIPPED_SAMPLING = {0: "4:4:4", 2: "4:2:0"}
_SHOWN = ("icc_profile", "transparency")
"""What is no pixel and yet changes how the pixels are shown."""


def can_stand_up(image: Image.Image, found: ImageFormat) -> bool:
    """Tell whether the picture can be encoded anew.

    A large AVIF cannot; its rotation is no metadata but a property that every decoder obeys.
    """
    frames = frame_count(image)
    most = _AV1_PIXELS if frames == 1 else _AV1_PIXELS // 2  # which take longer as frames
    return found is not ImageFormat.AVIF or image.width * image.height * frames <= most


def as_seen(image: Image.Image, orientation: int) -> Image.Image:
    """Return the first frame as it is meant to be seen."""
    turned = image.transpose(_TURNS[orientation])
    if profile := image.info.get("icc_profile"):
        turned.info["icc_profile"] = profile
    return turned


def stand_up(image: Image.Image, found: ImageFormat, cleaned: Cleaned) -> tuple[Image.Image, bytes]:
    """Return the first frame as it is meant to be seen, and the whole file encoded so.

    JPEG keeps its own quantisation tables, turned as well, and its sampling where Pillow can
    write it; PNG and lossless WebP lose nothing, nor does a PNG its transparency and colour
    space; lossy WebP and AVIF are encoded well above the quality at which a difference can be
    seen.
    """
    if found is ImageFormat.PNG and is_deep(cleaned.pieces):
        turned = turn_deep(cleaned.pieces, _TURNS[cleaned.orientation])
        return as_seen(image, cleaned.orientation), turned
    how = _options(image, found, cleaned)
    shown = {name: image.info[name] for name in _SHOWN if image.info.get(name) is not None}
    first, *rest = list(_frames(image, _TURNS[cleaned.orientation]))
    if rest:
        how |= {"save_all": True, "append_images": rest} | _timing(image)
    _let_go(image)
    target = io.BytesIO()
    first.info.clear()
    first.save(target, found.value, exif=b"", xmp=b"", **(shown | how))
    first.info.update({name: how.get(name, value) for name, value in shown.items()})
    encoded = target.getvalue()
    return first, with_colours(encoded, cleaned.pieces) if found is ImageFormat.PNG else encoded


def _let_go(image: Image.Image) -> None:
    """Free the picture as it lay, and a WebP's decoder with its canvases: encoding needs the room.

    Closing a picture keeps its decoder.
    """
    image.close()
    vars(image).pop("_decoder", None)


def _frames(image: Image.Image, turn: Image.Transpose) -> Iterator[Image.Image]:
    for frame in range(frame_count(image)):
        image.seek(frame)
        yield image.transpose(turn)


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


def _options(image: Image.Image, found: ImageFormat, cleaned: Cleaned) -> dict[str, Any]:
    lossless = cleaned.lossless
    if found is ImageFormat.JPEG:
        return _jpeg_options(image, sideways=cleaned.orientation >= _FIRST_SIDEWAYS)
    many = image.width * image.height > _MANY_PIXELS
    if found is ImageFormat.PNG:
        return {"compress_level": 1 if many else 6} | png_extras(image)
    if found is ImageFormat.WEBP:
        pace = {"method": 0 if many else 2, "exact": True}
        return {"lossless": lossless, "quality": 60 if lossless else 95, **pace}
    return {"quality": 90, "speed": 10, "subsampling": "4:4:4", "max_threads": 1}


def _jpeg_options(image: Image.Image, *, sideways: bool) -> dict[str, Any]:
    tables = getattr(image, "quantization", {})
    sampling = JpegImagePlugin.get_sampling(image)
    names = _FLIPPED_SAMPLING if sideways else _SAMPLED
    return {
        "qtables": [_turned(table) if sideways else table for _, table in sorted(tables.items())],
        "subsampling": names.get(sampling, "4:4:4"),
        "progressive": bool(image.info.get("progressive")),
        "comment": b"",
    }


def _turned(table: list[int]) -> list[int]:
    """Return a quantisation table for the transposed block."""
    return [table[column * _SIDE + row] for row in range(_SIDE) for column in range(_SIDE)]
