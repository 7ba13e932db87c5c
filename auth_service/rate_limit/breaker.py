"""The conversion breaker: a range of numbers whose codes nobody enters, blocked for an hour.

Who is paid by the message rents a range and asks for codes, and never enters any (SMS pumping).
A blocked range asks for proof of work, or refuses where `PROOF_OF_WORK` is `off`.
"""

from typing import Literal, NamedTuple

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.rate_limit.model import Refuses, Scope, digest, prefix
from auth_service.settings import AuthSettings
from shared.redis import lua

BREAKER = lua("auth_service.rate_limit", "breaker.lua")


class Range(NamedTuple):
    """A range of numbers, its keys in Redis, and whom it refuses while it is blocked.

    `network`: what one network has sent there. Nobody is refused who holds a number of it. All is
    empty where nothing is watched.
    """

    prefix: str = ""
    sent: str = ""
    proven: str = ""
    blocked: str = ""
    network: str = ""
    refuses: Literal[Refuses, ""] = ""

    @property
    def keys(self) -> tuple[str, str, str, str]:
        """Return what a send looks at."""
        return self.sent, self.proven, self.blocked, self.network

    @property
    def scope(self) -> Scope:
        """Return what refuses when the range is blocked."""
        return Scope("number_range", self.blocked, (), self.refuses or "everybody")


UNWATCHED = Range()


def watched(
    settings: AuthSettings, destination: Destination, client: Client, *, quiet: bool = False
) -> Range:
    """Return the range that a destination is of: mail costs nothing, so that it has none.

    Nothing is watched without `LIMIT_SEND_PER_PREFIX`, which is set except in development. `quiet`:
    who is a newcomer must not show.
    """
    if not (destination.spendable and settings.limit_send_per_prefix):
        return UNWATCHED
    range_ = prefix(destination.address)
    sent, proven, blocked = (f"range:{of}:{digest(range_)}" for of in ("sent", "proven", "blocked"))
    return Range(
        range_,
        sent,
        proven,
        blocked,
        f"range:network:{digest(range_, str(client.network))}",
        "newcomers_quietly" if quiet else "newcomers",
    )
