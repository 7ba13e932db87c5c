"""Smaller pictures in sRGB, made without a second picture of full size in memory."""

import io
from contextlib import suppress

from PIL import Image, ImageChops, ImageCms

_STRIP_ROWS = 32
_WIDE_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
_KEPT_MODES = frozenset({"L", "RGB", "RGBA", "CMYK"})
_SRGB = ImageCms.createProfile("sRGB")


def make_thumbnail(image: Image.Image, side: int) -> Image.Image:
    """Return a copy in RGB or RGBA whose longer side has at most `side` pixels.

    It is first reduced by a whole factor, some rows at a time, then resampled; the colour profile
    is applied to what is left.
    """
    factor = max(1, max(image.size) // (2 * side))
    small = _reduce(image, factor)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _to_srgb(small, image.info.get("icc_profile"))


def flatten(image: Image.Image) -> Image.Image:
    """Return the picture in RGB or grey, on white where it was transparent."""
    if image.mode in {"RGB", "L"}:
        return image
    clear = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(clear, mask=clear)
    return canvas


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    if factor == 1:
        return _to_8_bit(image)
    width, height = image.size
    rows = _STRIP_ROWS * factor
    small: Image.Image | None = None
    for top in range(0, height, rows):
        strip = _to_8_bit(image.crop((0, top, width, min(height, top + rows)))).reduce(factor)
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-height // factor)))
        small.paste(strip, (0, top // factor))
    return small if small is not None else _to_8_bit(image)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Return the pixels with eight bits a channel, palette and transparency resolved."""
    if image.mode in _WIDE_MODES:
        grey = image.point(lambda value: value * (1 / 256)).convert("L")
        return (
            _with_transparency(grey, image) if image.info.get("transparency") is not None else grey
        )
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.copy() if image.mode in _KEPT_MODES else image.convert("RGB")


def _with_transparency(grey: Image.Image, wide: Image.Image) -> Image.Image:
    """Return the grey picture with nothing where the wide one has its transparent value."""
    bytes_of = Image.frombytes("LA", wide.size, wide.tobytes()).split()
    value = int(wide.info["transparency"]).to_bytes(2, "little")
    differs = [
        band.point([255 * (level != byte) for level in range(256)])
        for band, byte in zip(bytes_of, value, strict=True)
    ]
    return Image.merge("RGBA", [grey, grey, grey, ImageChops.lighter(*differs)])


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    converted = None
    if profile:
        with suppress(ImageCms.PyCMSError, ValueError, OSError):
            # A profile for another kind of pixels is ignored, as decoders do.
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
    return image.convert(mode) if converted is None else converted
