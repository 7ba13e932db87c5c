"""Settings of a service that sends webhooks to its users' endpoints."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from shared.networks import wide_networks_problem
from shared.settings import Networks, ServiceSettings, split_list
from shared.webhooks.destination import DestinationPolicy

ANY = "*"
MAX_SPAN = timedelta(days=5)
"""Links to pictures in a message end after 7 days."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(rf"([0-9]{{1,6}})([{''.join(_SECONDS)}])")


def parse_delays(text: object) -> tuple[timedelta, ...]:
    """Return the time spans of a text such as `0s,5m`.

    Raises:
        ValueError: it has another form.
    """
    if isinstance(text, tuple):  # a default, which is validated too
        return text
    return tuple(_parse_span(part) for part in str(text).split(","))


def _parse_span(text: object) -> timedelta:
    if isinstance(text, timedelta):  # a default, which is validated too
        return text
    match = _SPAN.fullmatch(str(text).strip())
    if not match:
        raise ValueError("expected a number and s, m, h or d, as 30m")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _parse_ports(text: object) -> object:
    """Return the listed ports, none for any.

    Raises:
        ValueError: none is listed.
    """
    if text == ANY:
        return ()
    ports = split_list(text)
    if ports == []:
        raise ValueError(f"expected ports, or {ANY}")
    return ports


def _require_bounded(delays: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if sum(delays, timedelta()) > MAX_SPAN:
        raise ValueError(f"expected {MAX_SPAN.days} days together at most")
    return delays


Ports = Annotated[
    tuple[Annotated[int, Field(ge=1, le=65_535)], ...], NoDecode, BeforeValidator(_parse_ports)
]
Delays = Annotated[
    tuple[timedelta, ...],
    NoDecode,
    BeforeValidator(parse_delays),
    AfterValidator(_require_bounded),
    Field(min_length=1, max_length=20),
]
Span = Annotated[timedelta, BeforeValidator(_parse_span), Field(gt=timedelta())]
DEFAULT_ATTEMPTS = "0s,5s,5m,30m,2h,5h,10h,10h"
DEFAULT_DISABLE_AFTER = "5d"


class WebhookSendingSettings(ServiceSettings):
    """The settings of webhooks."""

    webhook_ports: Ports = Field(
        (443,),
        description="ports that webhooks may connect to; `*` for any (the default in development)",
    )
    webhook_allow_networks: Networks = Field(
        (),
        description="networks of your own that webhooks may reach besides the public internet "
        "(`127.0.0.0/8,::1/128` in development); production asks DNS alone for their names, which "
        "have two labels or more",
    )
    webhook_timeout: float = Field(
        20, gt=0, le=60, description="how long an attempt to deliver a webhook may take, s"
    )
    webhook_concurrency: int = Field(
        50,
        ge=1,
        le=1000,
        description="attempts at once in each process to quick receivers, and as many to slow "
        "ones; 5 to each webhook",
    )
    webhook_attempts: Delays = Field(
        parse_delays(DEFAULT_ATTEMPTS),
        description="the pause before each attempt to deliver a webhook, each up to a tenth "
        "longer; then the delivery is given up",
        json_schema_extra={"written": DEFAULT_ATTEMPTS},
    )
    webhook_disable_after: Span = Field(
        _parse_span(DEFAULT_DISABLE_AFTER),
        description="a webhook that accepts nothing for so long is disabled",
        json_schema_extra={"written": DEFAULT_DISABLE_AFTER},
    )

    @model_validator(mode="before")
    @classmethod
    def _allow_this_machine(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("env") != "development":
            return values
        return {
            "webhook_ports": ANY,
            "webhook_allow_networks": "127.0.0.0/8,::1/128",
            **values,
        }

    def find_weaknesses(self) -> list[str]:
        """Return a line for each fault that only development accepts."""
        wide = wide_networks_problem(self.webhook_allow_networks)
        return super().find_weaknesses() + ([f"WEBHOOK_ALLOW_NETWORKS: {wide}"] if wide else [])

    @property
    def webhook_policy(self) -> DestinationPolicy:
        """Return where webhooks may connect; without TLS only in development."""
        schemes = {"https"} if self.production else {"https", "http"}
        return DestinationPolicy(
            frozenset(schemes),
            frozenset(self.webhook_ports),
            self.webhook_allow_networks,
            internal_names=not self.production,
        )
