"""Rates in the notation of the limits library: `5/hour;10/day`, empty for none."""

import os
from typing import Annotated, Any, NamedTuple

from limits import parse_many
from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from shared.settings import ServiceSettings


class Rate(NamedTuple):
    """At most `most` events in any span of `window_ms` milliseconds; a pair, as scripts read it."""

    max_events: int
    window_ms: int


def parse_rates(text: object) -> tuple[Rate, ...]:
    """Return the rates that `text` names, none for an empty one.

    Raises:
        ValueError: the text is not in the notation.
    """
    if isinstance(text, tuple):  # a default, which is validated too
        return text
    if not isinstance(text, str):
        raise ValueError("expected text such as 5/hour;10/day")  # noqa: TRY004 - pydantic reports ValueError as a wrong value
    if not text.strip():
        return ()
    rates = tuple(Rate(item.amount, item.get_expiry() * 1000) for item in parse_many(text))
    if not all(rate.max_events and rate.window_ms for rate in rates):
        raise ValueError("expected at least 1 in a span of at least one second")
    return rates


Rates = Annotated[tuple[Rate, ...], NoDecode, BeforeValidator(parse_rates)]


def rates_field(text: str, description: str) -> Any:
    """Return a setting's field whose default is documented in the notation."""
    return Field(parse_rates(text), description=description, json_schema_extra={"written": text})


LIMITS_OF_WRONG_TRIES = {
    "limit_wrong_per_destination",
    "limit_wrong_per_ip",
    "limit_login_failures",
}
"""They count in development too, where every other limit is off unless it is set."""


class LimitedSettings(ServiceSettings):
    """Settings of a service that has limits: each field `limit_…` holds rates."""

    @model_validator(mode="before")
    @classmethod
    def _choose_unlimited(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Leave limits off that are set to nothing, and in development those that are not set."""
        off = {name for name in cls.limit_names() if os.environ.get(name.upper()) == ""}
        if values.get("env") == "development":
            off |= set(cls.limit_names()) - LIMITS_OF_WRONG_TRIES
        return dict.fromkeys(off, "") | values

    @classmethod
    def limit_names(cls) -> list[str]:
        """Return the settings that are rates."""
        return [name for name in cls.model_fields if name.startswith("limit_")]

    def disabled_limit_problems(self) -> list[str]:
        """Return a line for each limit that is off, which production refuses."""
        open_ones = [name.upper() for name in self.limit_names() if not getattr(self, name)]
        return [f"{name}: may be off only in development" for name in open_ones]
