"""Parses a decoder's response without trust: a picture may have taken the decoder over."""

import errno
import os
import re

from media_service.image.errors import BrokenImage, ImageLimitExceeded, UnsupportedImage
from media_service.image.model import EXTENSIONS, VARIANTS, DecodeLimits, ImageInfo, Rendition
from media_service.image.worker.ipc import Message
from shared.errors import DomainError

_ERRORS: dict[str, type[DomainError]] = {
    error.code: error for error in (UnsupportedImage, BrokenImage, ImageLimitExceeded)
}
_PLACEHOLDER = re.compile(r"[\x21-\x7e]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DETAIL_CHARACTERS = 200


def parse_response(response: Message, limits: DecodeLimits) -> ImageInfo:
    """Return what the picture is.

    Raises:
        UnsupportedImage, BrokenImage, ImageLimitExceeded: the decoder refuses the picture.
        OSError: the decoder could not read or write.
        ValueError, KeyError, TypeError: a decoder of ours never answers this.
    """
    if "refused" in response:
        raise _ERRORS[response["refused"]](_clean_detail(response["detail"]))
    if "failed" in response:
        raise _file_error(response["failed"])
    info = ImageInfo(
        **(response | {"renditions": tuple(Rendition(**one) for one in response["renditions"])})
    )
    if not _is_plausible(info, limits):
        raise ValueError("an implausible response")
    return info


def check_sizes(info: ImageInfo, sizes: list[int]) -> None:
    """Return when the renditions have the sizes that the decoder reports, which the quota counts.

    Raises:
        ValueError: one of them has another size.
    """
    if [one.size for one in info.renditions] != sizes:
        raise ValueError("a rendition of another size than reported")


def _clean_detail(detail: object) -> str | None:
    """Return a sentence that can be sent and logged: of bounded length, without surrogates."""
    if detail is None:
        return None
    if not isinstance(detail, str):
        raise TypeError
    return "".join(one if one.isprintable() else "?" for one in detail[:_DETAIL_CHARACTERS])


def _file_error(number: object) -> OSError:
    if number is None:  # Python raises some errors of files without a number
        number = errno.EIO
    if type(number) is not int:  # `True` equals 1, which is a number of errors
        raise TypeError
    known = number if number in errno.errorcode else errno.EIO
    return OSError(known, os.strerror(known))


def _is_plausible(info: ImageInfo, limits: DecodeLimits) -> bool:
    numbers = [info.width, info.height, *(one.size for one in info.renditions)]
    return (
        info.content_type in EXTENSIONS
        and all(type(number) is int and number > 0 for number in numbers)
        and max(info.width, info.height) <= limits.max_side
        and info.width * info.height <= limits.max_pixels
        and _PLACEHOLDER.fullmatch(info.placeholder) is not None
        and [one.variant for one in info.renditions] == list(VARIANTS)
        and all(_SHA256.fullmatch(one.sha256) for one in info.renditions)
    )
