"""Codes: six ASCII digits, every value equally likely."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from auth_service.otp.model import Code, Handle, generate_code
from shared.entropy import SystemEntropy

DRAWS = 1_000_000
CODE = TypeAdapter[str](Code)
HANDLE = TypeAdapter[str](Handle)


class ChosenEntropy(SystemEntropy):
    def __init__(self, value: int) -> None:
        self.value = value
        self.bound = 0

    def below(self, bound: int) -> int:
        self.bound = bound
        return self.value


@given(st.integers(0, 999_999))
def test_every_value_is_one_code_of_six_ascii_digits(value: int) -> None:
    entropy = ChosenEntropy(value)
    code = generate_code(entropy)
    assert entropy.bound == 1_000_000
    assert int(code) == value
    assert len(code) == 6
    assert code.isascii()
    assert CODE.validate_python(code) == code


def test_a_million_draws_are_uniform() -> None:
    entropy = SystemEntropy()
    codes = [generate_code(entropy) for _ in range(DRAWS)]
    # by its first and its last three digits: 999 degrees of freedom each, mean 999, deviation 45;
    # five deviations away happens by chance once in two million runs
    for part in (slice(0, 3), slice(3, 6)):
        counts = Counter(code[part] for code in codes)
        assert len(counts) == 1000
        expected = DRAWS / 1000
        chi_square = sum((seen - expected) ** 2 / expected for seen in counts.values())
        assert 775 < chi_square < 1225
    # every second draw is new: 1 - 1/e of all values are seen, with a deviation of 0.03%
    assert 0.629 < len(set(codes)) / DRAWS < 0.635


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "1234567",
        "12345a",
        "१२३४५६",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        " 12345",
        "12345\n",
        "-12345",
    ],
)
def test_anything_else_is_no_code(text: str) -> None:
    with pytest.raises(ValidationError):
        CODE.validate_python(text)


@pytest.mark.parametrize("text", ["", "g" * 32, "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"])
def test_a_handle_is_32_hex_digits(text: str) -> None:
    assert HANDLE.validate_python("0123456789abcdef" * 2)
    with pytest.raises(ValidationError):
        HANDLE.validate_python(text)
