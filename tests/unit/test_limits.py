"""Rates in the notation of the limits library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.limits import Rate, Rates, parse_rates

HOUR = 3_600_000
UNITS = {"second": 1_000, "minute": 60_000, "hour": HOUR, "day": 24 * HOUR}


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("", ()),
        ("  ", ()),
        ("5/hour", (Rate(5, HOUR),)),
        ("5/hour;10/day", (Rate(5, HOUR), Rate(10, 24 * HOUR))),
        (" 5/hour ; 10/day ", (Rate(5, HOUR), Rate(10, 24 * HOUR))),
        ("3 per 2 minutes", (Rate(3, 120_000),)),
    ],
)
def test_rates_in_notation_are_parsed(text: str, rates: tuple[Rate, ...]) -> None:
    assert parse_rates(text) == rates


@given(st.integers(1, 10**6), st.integers(1, 100), st.sampled_from(sorted(UNITS)))
def test_rates_of_any_count_and_window_are_parsed(count: int, multiple: int, unit: str) -> None:
    assert parse_rates(f"{count}/{multiple}{unit}") == (Rate(count, multiple * UNITS[unit]),)


@pytest.mark.parametrize("text", ["x", "5", "5/", "/hour", "-1/hour", "5/fortnight", "five/hour"])
def test_rates_in_another_notation_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[tuple[Rate, ...]](Rates).validate_python(text)


@pytest.mark.parametrize("value", [5, None, ["5/hour"], b"5/hour"])
def test_rates_that_are_no_text_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected text such as 5/hour;10/day"):
        parse_rates(value)


@pytest.mark.parametrize("text", ["0/hour", "5/hour;0/day"])
def test_rates_of_zero_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at least"):
        parse_rates(text)
