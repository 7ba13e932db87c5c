"""The conversion breaker blocks a range of numbers for an hour when hardly any code is entered.

In SMS pumping a fraudster is paid for each message to a rented range, and never enters a code.
A blocked range requires proof of work, or refuses where `PROOF_OF_WORK` is `off`.
"""

from typing import Literal, NamedTuple

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.rate_limit.model import AppliesTo, key_digest, number_prefix
from auth_service.settings import AuthSettings
from shared.redis import read_lua

BREAKER = read_lua("auth_service.rate_limit", "breaker.lua")


class NumberRange(NamedTuple):
    """A range of numbers, its keys in Redis, and the requests that it refuses while blocked.

    `network`: the key of what the client's network has sent there. All fields are empty when the
    breaker does not watch the destination.
    """

    prefix: str = ""
    sent: str = ""
    proven: str = ""
    blocked: str = ""
    network: str = ""
    applies_to: Literal[AppliesTo, ""] = ""

    @property
    def keys(self) -> tuple[str, str, str, str]:
        """Return the keys that a send reads."""
        return self.sent, self.proven, self.blocked, self.network


UNWATCHED_RANGE = NumberRange()


def watched_range(
    settings: AuthSettings, destination: Destination, client: Client, *, conceal: bool = False
) -> NumberRange:
    """Return the range that the destination belongs to; a mail address has none.

    Nothing is watched without `LIMIT_SEND_PER_PREFIX`, which production requires. `conceal`: the
    answer must not show whether the number has an owner.
    """
    if not (destination.costs_money and settings.limit_send_per_prefix):
        return UNWATCHED_RANGE
    prefix = number_prefix(destination.address)
    sent, proven, blocked = (
        f"range:{of}:{key_digest(prefix)}" for of in ("sent", "proven", "blocked")
    )
    return NumberRange(
        prefix,
        sent,
        proven,
        blocked,
        f"range:network:{key_digest(prefix, str(client.network))}",
        "new_contacts_silently" if conceal else "new_contacts",
    )
