"""The segments of a text message, by which carriers bill it. Source: 3GPP TS 23.038, TS 23.040."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each counts as two characters."""
Encoding = Literal["GSM-7", "UCS-2"]
_SEGMENT_LENGTHS: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""The length of a single segment, and of each of several."""


@dataclass(frozen=True, slots=True)
class SmsSize:
    """The size of a text message; `length` counts in the units of its encoding."""

    encoding: Encoding
    length: int
    segments: int


def measure_sms(text: str) -> SmsSize:
    """Return the size of a text; one character outside GSM-7 makes the whole text UCS-2."""
    encoding: Encoding = "UCS-2"
    length = len(text.encode("utf-16-le")) // 2
    if set(text) <= _BASIC | _EXTENSION:
        encoding, length = "GSM-7", len(text) + sum(letter in _EXTENSION for letter in text)
    single, several = _SEGMENT_LENGTHS[encoding]
    return SmsSize(encoding, length, 1 if length <= single else ceil(length / several))
