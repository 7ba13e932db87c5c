"""The bounds of an image, and what is known of one that passed."""

from dataclasses import dataclass
from enum import StrEnum
from mmap import mmap
from pathlib import Path

from media_service.image.errors import BrokenImage, ImageLimitExceeded

DEFAULT_MAX_PIXELS = 50_000_000
"""A phone's picture of 48 or 50 megapixels."""
MAX_FRAMES = 500
ANIMATION_FACTOR = 5

ORIGINAL, PREVIEW, THUMB = "original", "preview", "thumb"
MAX_SIDES = {PREVIEW: 1280, THUMB: 256}
"""The smaller pictures, by their longer side in pixels at most."""
VARIANTS = (ORIGINAL, *MAX_SIDES)
VARIANT_TYPE = "image/webp"

ImageBytes = bytes | mmap
"""An image file: mapped, or in memory."""


class ImageFormat(StrEnum):
    """The six formats taken in, by the name that Pillow knows them under."""

    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    WEBP = "WEBP"
    AVIF = "AVIF"
    HEIF = "HEIF"

    @property
    def served(self) -> str:
        """Return the format that it is stored in: JPEG instead of HEIC, which few browsers show."""
        return "JPEG" if self is ImageFormat.HEIF else self.value

    @property
    def content_type(self) -> str:
        """Return the media type, always our own word and never the client's."""
        return f"image/{self.served.lower()}"


EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
}


@dataclass(frozen=True, slots=True)
class ImageSize:
    """The size that a file's header announces, before any pixel is decoded."""

    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How much is decoded at most.

    `max_pixels` of one frame; an animation may have `ANIMATION_FACTOR` times that in all frames
    together, because every frame costs as much time as a picture of its size.
    """

    max_pixels: int
    max_side: int = 12_000
    max_frames: int = MAX_FRAMES

    @property
    def scale(self) -> float:
        """Return by what the decoder's memory and time exceed those for the usual pictures."""
        return max(1.0, self.max_pixels / DEFAULT_MAX_PIXELS)

    def check(self, size: ImageSize) -> None:
        """Accept a size within the limits.

        Raises:
            BrokenImage: a side or the number of frames is zero.
            ImageLimitExceeded: it exceeds a limit.
        """
        if min(size.width, size.height, size.frames) < 1:
            raise BrokenImage("the image has no pixels")
        if max(size.width, size.height) > self.max_side:
            raise ImageLimitExceeded(f"a side has at most {self.max_side} pixels")
        if size.width * size.height > self.max_pixels:
            raise ImageLimitExceeded(f"an image has at most {self.max_pixels} pixels")
        if size.frames > self.max_frames:
            raise ImageLimitExceeded(f"an animation has at most {self.max_frames} frames")
        if size.width * size.height * size.frames > self.max_pixels * ANIMATION_FACTOR:
            raise ImageLimitExceeded("the animation's frames have too many pixels together")


@dataclass(frozen=True, slots=True)
class Rendition:
    """One stored file of a picture; `sha256` in hexadecimal digits."""

    variant: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """The result of a whole decode; width and height are those of the oriented picture.

    `placeholder` is its BlurHash; `renditions` has one file for each of `VARIANTS`.
    """

    content_type: str
    width: int
    height: int
    placeholder: str
    renditions: tuple[Rendition, ...]

    @property
    def stored_bytes(self) -> int:
        """Return the bytes of all renditions together."""
        return sum(one.size for one in self.renditions)

    @property
    def original(self) -> Rendition:
        """Return the rendition in full size: cleaned and upright."""
        return next(one for one in self.renditions if one.variant == ORIGINAL)


def rendition_temp_path(path: Path, variant: str) -> Path:
    """Return where the decoder writes a variant of the file at `path`."""
    return path.with_name(f"{path.name}.{variant}")
