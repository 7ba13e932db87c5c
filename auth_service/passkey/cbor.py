"""CBOR as authenticators write it, walked over without being decoded.

CTAP 2.1 §8 allows neither tags nor indefinite lengths. A decoder would act on tags, before any
signature is verified: one of them holds a regular expression, which may take seconds to compile.
"""

from typing import NamedTuple

BYTES, TEXT, ARRAY, MAP, TAG = 2, 3, 4, 5, 6
_INLINE, _RESERVED = 24, 28
"""A head holds a value below 24 itself; from 28 on it stands for no definite length."""


class Head(NamedTuple):
    """The first bytes of an item. `end` is the place after them. Source: RFC 8949 §3."""

    major: int
    value: int
    end: int


def read_head(data: bytes, place: int) -> Head:
    """Return the head of the item at a place.

    Raises:
        IndexError, ValueError: there is none, or authenticators may not write it.
    """
    major, short = data[place] >> 5, data[place] & 31
    if short >= _RESERVED or major == TAG:
        raise ValueError
    if short < _INLINE:
        return Head(major, short, place + 1)
    end = place + 1 + (1 << (short - _INLINE))
    return Head(major, int.from_bytes(data[place + 1 : end]), end)


def read_string(data: bytes, place: int, major: int) -> tuple[bytes, int]:
    """Return the content of the string at a place, and the place after it; raises likewise."""
    head = read_head(data, place)
    end = head.end + head.value
    if head.major != major or end > len(data):
        raise ValueError
    return data[head.end : end], end


def skip_item(data: bytes, place: int) -> int:
    """Return the place after an item, however deeply nested; raises likewise."""
    left = 1
    while left:
        head = read_head(data, place)
        place = head.end + (head.value if head.major in {BYTES, TEXT} else 0)
        left += {ARRAY: head.value, MAP: 2 * head.value}.get(head.major, 0) - 1
    return place
