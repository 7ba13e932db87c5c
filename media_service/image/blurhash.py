"""A picture in about 30 characters, to show until it has loaded. Source: BlurHash algorithm."""

import math
from collections.abc import Sequence
from itertools import pairwise

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_SRGB_TO_LINEAR = [
    value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
    for value in range(256)
]
"""sRGB to light. Source: IEC 61966-2-1."""

Colour = tuple[float, float, float]


def blurhash(rgb: bytes, width: int, height: int) -> str:
    """Return the hash of a small picture, row by row; more detail along its longer side."""
    across, down = (4, 3) if width >= height else (3, 4)
    linear = [_SRGB_TO_LINEAR[value] for value in rgb]
    light = list(zip(linear[::3], linear[1::3], linear[2::3], strict=True))
    components = [
        _cosine_component(light, width, height, x, y) for y in range(down) for x in range(across)
    ]
    average, rest = components[0], components[1:]
    greatest = max(abs(part) for colour in rest for part in colour)
    scale = max(0, min(82, int(greatest * 166 - 0.5)))
    head = [
        _base83(across - 1 + (down - 1) * 9, 1),
        _base83(scale, 1),
        _base83(_encode_average(average), 4),
    ]
    return "".join(
        head + [_base83(_encode_component(colour, (scale + 1) / 166), 2) for colour in rest]
    )


def _cosine_component(light: Sequence[Colour], width: int, height: int, x: int, y: int) -> Colour:
    """Return how much of one cosine pattern there is in each colour."""
    columns = [math.cos(math.pi * x * column / width) for column in range(width)]
    sums = [0.0, 0.0, 0.0]
    for row, (start, end) in enumerate(pairwise(range(0, len(light) + 1, width))):
        down = math.cos(math.pi * y * row / height)
        for cosine, colour in zip(columns, light[start:end], strict=True):
            for part in range(3):
                sums[part] += cosine * down * colour[part]
    factor = (2 if x or y else 1) / (width * height)
    return sums[0] * factor, sums[1] * factor, sums[2] * factor


def _encode_average(colour: Colour) -> int:
    red, green, blue = (_linear_to_srgb(part) for part in colour)
    return (red << 16) + (green << 8) + blue


def _linear_to_srgb(light: float) -> int:
    value = max(0.0, min(1.0, light))
    shown = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055  # noqa: PLR2004
    return int(shown * 255 + 0.5)


def _encode_component(colour: Colour, greatest: float) -> int:
    red, green, blue = (_quantize(part / greatest) for part in colour)
    return (red * 19 + green) * 19 + blue


def _quantize(part: float) -> int:
    return max(0, min(18, int(math.copysign(math.sqrt(abs(part)), part) * 9 + 9.5)))


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))
