"""What a decoder answers, read with suspicion: a picture may have taken it over."""

import errno
import os
import re

from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.image.frames import Message
from media_service.image.model import EXTENSIONS, VARIANTS, ImageFacts, Made
from shared.errors import DomainError

_REFUSALS: dict[str, type[DomainError]] = {
    error.code: error for error in (UnsupportedImage, BrokenImage, ImageTooLarge)
}
_PLACEHOLDER = re.compile(r"[\x21-\x7e]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_answer(answer: Message) -> ImageFacts:
    """Return what the picture is.

    Raises:
        UnsupportedImage, BrokenImage, ImageTooLarge: the decoder refuses the picture.
        OSError: the decoder could not read or write.
        ValueError, KeyError, TypeError: no decoder of ours answers like this.
    """
    if "refused" in answer:
        raise _REFUSALS[answer["refused"]](_text(answer["detail"]))
    if "failed" in answer:
        number = answer["failed"] if answer["failed"] in errno.errorcode else errno.EIO
        raise OSError(number, os.strerror(number))
    facts = ImageFacts(**(answer | {"made": tuple(Made(**one) for one in answer["made"])}))
    if not _is_possible(facts):
        raise ValueError("an answer that no picture has")
    return facts


def _text(detail: object) -> str | None:
    if detail is None or isinstance(detail, str):
        return detail
    raise TypeError


def _is_possible(facts: ImageFacts) -> bool:
    numbers = [facts.width, facts.height, *(one.size for one in facts.made)]
    return (
        facts.content_type in EXTENSIONS
        and all(type(number) is int and number > 0 for number in numbers)
        and _PLACEHOLDER.fullmatch(facts.placeholder) is not None
        and [one.variant for one in facts.made] == list(VARIANTS)
        and all(_SHA256.fullmatch(one.sha256) for one in facts.made)
    )
