"""Whole decoding with Pillow. Only the worker process imports this."""

import mmap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import AvifImagePlugin, Image

from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.image.gif import scan_gif
from media_service.image.jpeg import scan_jpeg
from media_service.image.model import Bounds, Extent, ImageFacts, ImageFormat, Source
from media_service.image.png import scan_png
from media_service.image.sniff import HEAD_BYTES, sniff
from media_service.image.webp import scan_webp
from shared.errors import DomainError

_SCANS: dict[ImageFormat, Callable[[Source], Extent]] = {
    ImageFormat.JPEG: scan_jpeg,
    ImageFormat.PNG: scan_png,
    ImageFormat.GIF: scan_gif,
    ImageFormat.WEBP: scan_webp,
}
"""AVIF has no scan of its own: libavif reads a bounded header without decoding."""


def prepare() -> None:
    """Load the five decoders, keep them to one thread, and make bomb warnings errors."""
    Image.preinit()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def inspect(path: Path, bounds: Bounds) -> ImageFacts:
    """Return what the file is after decoding every frame of it.

    Raises:
        UnsupportedImage: it is none of the five formats by its content.
        BrokenImage: it does not decode whole.
        ImageTooLarge: it is out of bounds by its header, or memory ran out.
    """
    Image.MAX_IMAGE_PIXELS = bounds.max_pixels
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
        if found is None:
            raise UnsupportedImage
        if scan := _SCANS.get(found):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                bounds.check(scan(data))
        return _decode(file, found, bounds)


def _decode(file: BinaryIO, found: ImageFormat, bounds: Bounds) -> ImageFacts:
    file.seek(0)
    try:
        with Image.open(file, formats=[found.value]) as image:
            width, height = image.size
            frames = getattr(image, "n_frames", 1)
            bounds.check(Extent(width, height, frames))
            for frame in range(frames):
                image.seek(frame)
                bounds.check(Extent(*image.size, frames))
                image.load()
            return ImageFacts(found.content_type, width, height, frames)
    except DomainError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooLarge from None
    except Exception as wrong:  # noqa: BLE001 - decoders raise anything for hostile bytes
        raise (ImageTooLarge if "memory" in str(wrong).lower() else BrokenImage) from None
