"""Codes: six ASCII digits, every value equally likely."""

from collections import Counter
from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from auth_service.otp.model import Code, Handle, generate_code
from shared.entropy import SystemEntropy
from tests.support.long_runs import amount

VALUES = 1_000_000
DRAWS = amount(100_000, 1_000_000)
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
def test_otp_code_of_every_value_has_six_ascii_digits(value: int) -> None:
    entropy = ChosenEntropy(value)
    code = generate_code(entropy)
    assert entropy.bound == 1_000_000
    assert int(code) == value
    assert len(code) == 6
    assert code.isascii()
    assert CODE.validate_python(code) == code


@pytest.mark.long
def test_otp_codes_drawn_are_uniform() -> None:
    entropy = SystemEntropy()
    codes = [generate_code(entropy) for _ in range(DRAWS)]
    # by its first and its last three digits: 999 degrees of freedom each, mean 999, deviation 45;
    # five deviations away happens by chance once in two million runs
    for part in (slice(0, 3), slice(3, 6)):
        counts = Counter(code[part] for code in codes)
        assert len(counts) == 1000
        expected = DRAWS / 1000
        chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
        assert 775 < chi_square < 1225
    # so many values are seen, with this deviation, when each draw is independent of the others
    rate = DRAWS / VALUES
    seen = VALUES * (1 - exp(-rate))
    deviation = sqrt(VALUES * (exp(-rate) - (1 + rate) * exp(-2 * rate)))
    assert abs(len(set(codes)) - seen) < 5 * deviation


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
def test_otp_code_in_another_format_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        CODE.validate_python(text)


@pytest.mark.parametrize("text", ["", "g" * 32, "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"])
def test_challenge_handle_is_32_hex_digits(text: str) -> None:
    assert HANDLE.validate_python("0123456789abcdef" * 2)
    with pytest.raises(ValidationError):
        HANDLE.validate_python(text)
