"""What a PNG that is encoded anew takes along. Source: W3C PNG (third edition) §11."""

from collections.abc import Iterable
from typing import Any

from PIL import Image

_SIGNATURE_AND_HEADER_BYTES = 33
_KIND = slice(4, 8)
_COLOURS = frozenset({b"cICP", b"gAMA", b"cHRM", b"sRGB"})


def png_extras(image: Image.Image) -> dict[str, Any]:
    """Return how to save what is no pixel: the transparency, and a picture before an animation."""
    extras: dict[str, Any] = {"default_image": bool(image.info.get("default_image"))}
    transparent = image.info.get("transparency")
    return extras if transparent is None else extras | {"transparency": transparent}


def with_colours(encoded: bytes, pieces: Iterable[bytes]) -> bytes:
    """Return the file with the cleaned one's chunks that say what its colours mean."""
    colours = b"".join(piece for piece in pieces if piece[_KIND] in _COLOURS)
    at = _SIGNATURE_AND_HEADER_BYTES
    return encoded[:at] + colours + encoded[at:] if colours else encoded
