"""How an AVIF is oriented, and encoded again."""

from typing import Any

from PIL import Image

from media_service.image.decode import frame_count
from media_service.image.formats.exif import ORIENTATION_TAG, UPRIGHT
from media_service.image.formats.model import CleanedImage

_MAX_PIXELS = 4_000_000
"""What AV1 is encoded of within the time and memory of a job; its encoder dies of more."""


def can_encode_avif(image: Image.Image) -> bool:
    """Return whether the picture is small enough to be encoded again.

    The rotation of a larger one stays: it is no metadata but a property that every decoder obeys.
    """
    frames = frame_count(image)
    limit = _MAX_PIXELS if frames == 1 else _MAX_PIXELS // 2  # frames take longer
    return image.width * image.height * frames <= limit


def read_property_orientation(image: Image.Image) -> int:
    """Return the orientation that an AVIF has without Exif, by its own rotation and mirroring."""
    return int(image.getexif().get(ORIENTATION_TAG, UPRIGHT))


def avif_encoder_options(_image: Image.Image, _cleaned: CleanedImage) -> dict[str, Any]:
    """Return a quality well above that at which a difference can be seen."""
    return {"quality": 90, "speed": 10, "subsampling": "4:4:4", "max_threads": 1}
