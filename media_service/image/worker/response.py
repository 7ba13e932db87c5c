"""What a decoder answers, read with suspicion: a picture may have taken it over."""

import errno
import os
import re

from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.image.model import EXTENSIONS, MAX_SIDE, VARIANTS, ImageFacts, Made
from media_service.image.worker.ipc import Message
from shared.errors import DomainError

_REFUSALS: dict[str, type[DomainError]] = {
    error.code: error for error in (UnsupportedImage, BrokenImage, ImageTooLarge)
}
_PLACEHOLDER = re.compile(r"[\x21-\x7e]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DETAIL_CHARACTERS = 200


def read_answer(answer: Message, max_pixels: int) -> ImageFacts:
    """Return what the picture is.

    Raises:
        UnsupportedImage, BrokenImage, ImageTooLarge: the decoder refuses the picture.
        OSError: the decoder could not read or write.
        ValueError, KeyError, TypeError: no decoder of ours answers like this.
    """
    if "refused" in answer:
        raise _REFUSALS[answer["refused"]](_text(answer["detail"]))
    if "failed" in answer:
        raise _file_error(answer["failed"])
    facts = ImageFacts(**(answer | {"made": tuple(Made(**one) for one in answer["made"])}))
    if not _is_possible(facts, max_pixels):
        raise ValueError("an answer that no picture has")
    return facts


def require_sizes(facts: ImageFacts, sizes: list[int]) -> None:
    """Return when the files that were made have the sizes that the decoder says, and quotas count.

    Raises:
        ValueError: one of them has another size.
    """
    if [one.size for one in facts.made] != sizes:
        raise ValueError("a file of another size than the answer says")


def _text(detail: object) -> str | None:
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


def _is_possible(facts: ImageFacts, max_pixels: int) -> bool:
    numbers = [facts.width, facts.height, *(one.size for one in facts.made)]
    return (
        facts.content_type in EXTENSIONS
        and all(type(number) is int and number > 0 for number in numbers)
        and max(facts.width, facts.height) <= MAX_SIDE
        and facts.width * facts.height <= max_pixels
        and _PLACEHOLDER.fullmatch(facts.placeholder) is not None
        and [one.variant for one in facts.made] == list(VARIANTS)
        and all(_SHA256.fullmatch(one.sha256) for one in facts.made)
    )
