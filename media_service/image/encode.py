"""The smaller pictures as WebP files, none larger than the picture that they are made of."""

import io
from math import sqrt

from PIL import Image

from media_service.image.decode import translate_decoder_errors

SMALLEST_BYTES = 44
"""The size of a WebP of one pixel, of any colour; some GIFs of one pixel are smaller."""

_QUALITY, _METHOD = 80, 2
_LOWER_QUALITIES, _LOWER_METHOD = (50, 25), 4
_LOSSLESS_EFFORT = 50
_MAX_EXCESS = 16
"""Beyond this excess no other encoding of the same pixels is likely to fit."""

_MAX_SCALE, _SAFETY = 0.7, 0.95


def encode_within(image: Image.Image, limit: int) -> bytes:
    """Return the picture as a WebP of at most `limit` bytes, but of `SMALLEST_BYTES` at least.

    It has the usual quality where that fits. Else it is lossless, which suits drawings; else it has
    a lower quality; else it has fewer pixels. So a small file cannot make us store a large one.
    """
    limit = max(limit, SMALLEST_BYTES)
    while True:
        usual = _encode(image, quality=_QUALITY, method=_METHOD)
        if len(usual) <= limit:
            return usual
        if len(usual) <= _MAX_EXCESS * limit and (fitting := _encode_at_full_size(image, limit)):
            return fitting
        image = _scale_down(image, limit / len(usual))


def _encode_at_full_size(image: Image.Image, limit: int) -> bytes | None:
    """Return all the pixels within the limit, lossless or of lower quality; None if none fits."""
    lossless = _encode(image, quality=_LOSSLESS_EFFORT, method=_METHOD, lossless=True)
    if len(lossless) <= limit:
        return lossless
    for quality in _LOWER_QUALITIES:
        lower = _encode(image, quality=quality, method=_LOWER_METHOD)
        if len(lower) <= limit:
            return lower
    return None


def _scale_down(image: Image.Image, share: float) -> Image.Image:
    """Return a copy with about that share of the pixels, at most half of them."""
    factor = min(_MAX_SCALE, _SAFETY * sqrt(share))
    side = max(1, int(max(image.size) * factor))
    smaller = image.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    return smaller


def _encode(image: Image.Image, *, quality: int, method: int, lossless: bool = False) -> bytes:
    target = io.BytesIO()
    with translate_decoder_errors():
        image.save(target, "WEBP", quality=quality, method=method, lossless=lossless)
    return target.getvalue()
