"""Rates in the notation of the limits library: `5/hour;10/day`, empty for none."""

from typing import Annotated, NamedTuple

from limits import parse_many
from pydantic import BeforeValidator
from pydantic_settings import NoDecode


class Rate(NamedTuple):
    """At most `most` events in any span of `window_ms` milliseconds; a pair, as scripts read it."""

    most: int
    window_ms: int


def parse_rates(text: object) -> tuple[Rate, ...]:
    """Return the rates that `text` names, none for an empty one.

    Raises:
        ValueError: the text is not in the notation.
    """
    if isinstance(text, tuple):  # a default, which is validated too
        return text
    if not isinstance(text, str):
        message = "expected text such as 5/hour;10/day"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError as a wrong value
    if not text.strip():
        return ()
    rates = tuple(Rate(item.amount, item.get_expiry() * 1000) for item in parse_many(text))
    if not all(rate.most and rate.window_ms for rate in rates):
        message = "expected at least 1 in a span of at least one second"
        raise ValueError(message)
    return rates


Rates = Annotated[tuple[Rate, ...], NoDecode, BeforeValidator(parse_rates)]
