"""HEIC and its kin: decoded, and served as JPEG. Source: ISO/IEC 23008-12."""

from typing import Any

from PIL import Image

from media_service.image.formats.icc import valid_profile
from media_service.image.formats.model import CleanedImage
from media_service.image.model import ImageBytes


def clean_heif(data: ImageBytes) -> CleanedImage:
    """Return the file as it is: of it, only the main picture's pixels are kept."""
    return CleanedImage([bytes(data)], lossless=False, servable=False)


def heif_encoder_options(image: Image.Image, _cleaned: CleanedImage) -> dict[str, Any]:
    """Return a quality of JPEG at which no difference can be seen, with a camera's sampling."""
    profile = valid_profile(image.info.get("icc_profile", b""))
    return {"quality": 90, "subsampling": "4:2:0", "icc_profile": profile}
