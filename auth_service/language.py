"""Languages: tags (BCP 47), what a client prefers, and the best match among those that we have."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

TAG = r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*"
MAX_TAG_LENGTH = 35
"""Source: RFC 5646 §4.4.1."""
MAX_HEADER_LENGTH = 300
MAX_RANGES = 10
SCRIPT_LENGTH, REGION_LENGTH = 4, 2
_LOCALE_DETAILS = re.compile("[@#.]")
TAG_PATTERN = re.compile(TAG)
_RANGE = re.compile(rf"\s*({TAG})\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{{0,3}})?)\s*)?", re.IGNORECASE)


def normalize_tag(tag: str) -> str:
    """Return a tag in the usual case, as in `pt-BR` and `zh-Hant`. Source: RFC 5646 §2.1.1.

    What follows a singleton, as in `en-US-u-ca-buddhist`, is in lower case.
    """
    language, *more = tag.replace("_", "-").lower().split("-")
    usual = {SCRIPT_LENGTH: str.title, REGION_LENGTH: str.upper}
    end = next((index for index, part in enumerate(more) if len(part) == 1), len(more))
    cased = (usual.get(len(part), str.lower)(part) for part in more[:end])
    return "-".join([language, *cased, *more[end:]])


def parse_device_locale(text: str) -> str:
    """Return the tag in a device's locale.

    iOS adds `@calendar=…`, Java `_#Hant` and POSIX `.UTF-8` to it.
    """
    return _LOCALE_DETAILS.split(text, maxsplit=1)[0].rstrip("_")


def parse_accept_language(headers: Iterable[str]) -> tuple[str, ...]:
    """Return the languages that a client prefers, from its headers `Accept-Language`.

    A header is a preference and never refused: unreadable parts and `*` are left out, and of a
    long one only the beginning is read. Source: RFC 9110 §12.5.4.
    """
    return _parse(",".join(headers)[:MAX_HEADER_LENGTH])


@lru_cache(maxsize=256)
def _parse(header: str) -> tuple[str, ...]:
    ranges = [found for part in header.split(",")[:MAX_RANGES] if (found := _RANGE.fullmatch(part))]
    weighted = [(float(found[3] or 1), normalize_tag(found[1])) for found in ranges]
    weighted.sort(key=lambda one: -one[0])
    return tuple(dict.fromkeys(tag for quality, tag in weighted if quality))


def find_language(available: Mapping[str, str], preferred: Iterable[str]) -> str | None:
    """Return the first preferred language that is available; None when none is.

    `available`: languages by their tag in lower case. In place of `de-CH-1996`, `de-CH` or `de`
    counts as well. Source: RFC 4647 §3.4.
    """
    for tag in preferred:
        parts = tag.lower().split("-")
        while parts:
            if found := available.get("-".join(parts)):
                return found
            parts.pop()
            if parts and len(parts[-1]) == 1:  # a singleton means nothing by itself
                parts.pop()
    return None
