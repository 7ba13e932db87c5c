"""The form of recovery codes."""

import re

import pytest

from auth_service.factor.recovery.codes import generate_codes, hash_code
from shared.entropy import SystemEntropy

CODE = "0123a-456bc-7890d-xyz11"


def test_codes_are_ten_different_ones_in_crockfords_alphabet() -> None:
    codes = generate_codes(SystemEntropy())
    assert len(set(codes)) == 10
    for code in codes:
        assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}(-[0-9a-hjkmnp-tv-z]{5}){3}", code)


def test_codes_use_every_character_alike() -> None:
    """20 characters of 32 are 100 bits."""
    text = "".join("".join(generate_codes(SystemEntropy())) for _ in range(200)).replace("-", "")
    counts = [text.count(char) for char in set(text)]
    expected = len(text) / 32
    assert len(counts) == 32
    assert sum((count - expected) ** 2 / expected for count in counts) < 80  # p below 1e-5


@pytest.mark.parametrize(
    "typed",
    [
        CODE.upper(),
        CODE.replace("-", ""),
        " " + CODE.replace("-", " \N{EN DASH} ") + " ",
        "O123A456BC789OD-XYZ-Li",
    ],
)
def test_code_typed_otherwise_is_the_same(typed: str) -> None:
    assert hash_code(typed) == hash_code(CODE)


def test_other_code_has_another_hash() -> None:
    assert hash_code(CODE) != hash_code("1" + CODE[1:])
