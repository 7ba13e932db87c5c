"""How a PNG is encoded again, and what it takes along. Source: W3C PNG (third edition) §11."""

from typing import Any

from PIL import Image

from media_service.image.formats.model import LARGE_PIXELS, CleanedImage

_SIGNATURE_AND_HEADER_BYTES = 33
_KIND = slice(4, 8)
_COLOUR_SPACE = frozenset({b"cICP", b"gAMA", b"cHRM", b"sRGB"})


def png_encoder_options(image: Image.Image, _cleaned: CleanedImage) -> dict[str, Any]:
    """Return how to save what is no pixel: the transparency, and a picture before an animation."""
    options: dict[str, Any] = {
        "compress_level": 1 if image.width * image.height > LARGE_PIXELS else 6,
        "default_image": bool(image.info.get("default_image")),
    }
    transparent = image.info.get("transparency")
    return options if transparent is None else options | {"transparency": transparent}


def add_colour_space(encoded: bytes, cleaned: CleanedImage) -> bytes:
    """Return the encoded file with those chunks of the cleaned one that define its colours."""
    chunks = b"".join(piece for piece in cleaned.pieces if piece[_KIND] in _COLOUR_SPACE)
    at = _SIGNATURE_AND_HEADER_BYTES
    return encoded[:at] + chunks + encoded[at:] if chunks else encoded
