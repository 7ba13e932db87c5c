"""Whole decoding with Pillow. Only the decoder process imports this."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import AvifImagePlugin, Image, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.model import DecodeLimits, ImageFormat, ImageSize
from shared.errors import DomainError

try:
    from pi_heif import register_heif_opener
except ImportError:  # the extra `heif` is not installed: HEIC pictures are refused
    register_heif_opener = None

_BIT_DEPTH_OFFSET = 24
"""In a PNG: behind signature, length, name, width and height."""
_GREY_SCALE = {2: 85, 4: 17}
"""Pillow decodes greys of 2 and 4 bits to 8: a step of theirs is that many steps of 8 bits."""
_PRELOADED_PLUGINS = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)


def load_codecs() -> None:
    """Load the six decoders, keep them to one thread, and make bomb warnings errors.

    Pillow would load `_PRELOADED_PLUGINS` when a picture needs them: too late in a sandbox.
    """
    Image.preinit()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if register_heif_opener is not None:
        register_heif_opener(
            decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
        )
    warnings.simplefilter("error", Image.DecompressionBombWarning)


@contextmanager
def translate_decoder_errors() -> Iterator[None]:
    """Raise `ImageLimitExceeded` or `BrokenImage` for whatever Pillow raises."""
    try:
        yield
    except DomainError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageLimitExceeded from None
    except Exception as wrong:  # noqa: BLE001 - decoders raise anything for hostile bytes
        raise (ImageLimitExceeded if "memory" in str(wrong).lower() else BrokenImage) from None


@contextmanager
def open_decoded(
    data: bytes, image_format: ImageFormat, limits: DecodeLimits
) -> Iterator[Image.Image]:
    """Decode every frame, one after the other, then yield the picture at its first one.

    Raises:
        BrokenImage: it does not decode whole.
        ImageLimitExceeded: it is over a limit, or memory ran out.
    """
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    with (
        translate_decoder_errors(),
        Image.open(io.BytesIO(data), formats=[image_format.value]) as image,
    ):
        frames = frame_count(image)
        limits.check(ImageSize(*image.size, frames))
        for frame in range(frames):
            seek_frame(image, frame)
            limits.check(ImageSize(*image.size, frames))
            image.load()
            limits.check(ImageSize(*image.size, frames))  # a HEIC may announce another size
        seek_frame(image, 0)
        if image_format is ImageFormat.PNG and image.mode == "L" and "transparency" in image.info:
            image.info["transparency"] *= _GREY_SCALE.get(data[_BIT_DEPTH_OFFSET], 1)
        yield image


def can_decode(image_format: ImageFormat) -> bool:
    """Return whether the format's decoder is installed."""
    return image_format is not ImageFormat.HEIF or register_heif_opener is not None


def frame_count(image: Image.Image) -> int:
    """Return how many frames the picture has; a HEIC has its main picture alone."""
    return 1 if image.format == ImageFormat.HEIF else int(getattr(image, "n_frames", 1))


def seek_frame(image: Image.Image, frame: int) -> None:
    """Go to a frame; a HEIC is opened at its main picture and stays there."""
    if image.format != ImageFormat.HEIF:
        image.seek(frame)
