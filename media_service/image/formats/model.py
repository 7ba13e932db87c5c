"""A file without its metadata, and the functions of each format."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image

from media_service.image.model import ImageBytes, ImageSize

LARGE_PIXELS = 8_000_000
"""A larger picture is encoded at the fastest setting, to stay within the time of a job."""
_FIRST_TRANSPOSED = 5


@dataclass(frozen=True, slots=True)
class CleanedImage:
    """The file without its metadata, in pieces, and its orientation.

    `orientation` is Exif's: 1 is upright, 2 to 8 are the other ways to hold a camera.
    `lossless`: whether its compression keeps every pixel value. A file that is not `servable`
    is encoded again even if it is upright.
    """

    pieces: list[bytes]
    orientation: int = 1
    lossless: bool = True
    servable: bool = True

    @property
    def is_transposed(self) -> bool:
        """Return whether the orientation exchanges width and height."""
        return self.orientation >= _FIRST_TRANSPOSED

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)


class ImageCodec(NamedTuple):
    """The functions of one format: for its headers, its metadata, and its encoder.

    `scan` reads the size before any pixel is decoded. AVIF and HEIC have none: their
    libraries read a bounded header without decoding. `clean` removes the metadata. Both raise
    `BrokenImage` for a file that does not fit together, and `ImageLimitExceeded` for one of more
    parts than a picture needs. `finish` adds what the encoder cannot write. A GIF has neither:
    without an orientation, it is never encoded again.
    """

    scan: Callable[[ImageBytes], ImageSize] | None
    clean: Callable[[ImageBytes], CleanedImage]
    encoder_options: Callable[[Image.Image, CleanedImage], dict[str, Any]] = lambda *_: {}
    finish: Callable[[bytes, CleanedImage], bytes] = lambda encoded, _: encoded
