"""The limits of one code: its scopes, its range of numbers, and the proof of work it needs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from auth_service.client import Client, Solution
from auth_service.destination import Destination
from auth_service.rate_limit.breaker import NumberRange, watched_range
from auth_service.rate_limit.errors import LimitReached
from auth_service.rate_limit.model import Scope, send_scopes
from auth_service.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The limits of one send, as `send.lua` takes them.

    `is_known_device`: the client's device has signed in by the destination. `has_verified_owner`:
    the destination is a user's verified address. `proof_of_work`: when a proof of work is required.
    `solution`: the one that came with the request.
    """

    scopes: Sequence[Scope]
    number_range: NumberRange
    is_known_device: bool
    has_verified_owner: bool
    proof_of_work: Literal["blocked", "always", "off"]
    solution: Solution | None

    @property
    def keys(self) -> list[str]:
        """Return the keys in the script's order."""
        solution = f"solution:{self.solution.digest}" if self.solution else ""
        return [solution, *self.number_range.keys, *(scope.key for scope in self.scopes)]

    @property
    def arguments(self) -> list[str]:
        """Return the scopes, and the facts that decide to whom they apply, as JSON."""
        facts = {
            "is_known_device": self.is_known_device,
            "has_verified_owner": self.has_verified_owner,
            "range_applies_to": self.number_range.applies_to,
            "proof_of_work": self.proof_of_work,
            "solution_level": self.solution.level if self.solution else 0,
            "solution_expires_at": self.solution.expires_at if self.solution else 0,
        }
        scopes = [(scope.applies_to, scope.rates, scope.counts) for scope in self.scopes]
        return [json.dumps(scopes), json.dumps(facts)]

    def refusal(self, index: int, wait_ms: int) -> LimitReached:
        """Return the error for the scope with the script's index; the range comes last."""
        scope = (*self.scopes, self.number_range.scope)[index - 1]
        return LimitReached(scope.applies_to, wait_ms)


def send_limits(
    settings: AuthSettings,
    destination: Destination,
    client: Client,
    *,
    is_known_device: bool,
    has_verified_owner: bool,
    conceal: bool,
    queues: bool,
    to: Destination | None = None,
    signed_in: bool = False,
) -> SendLimits:
    """Return the limits of one send.

    `conceal`: the answer must not show whether the destination has an owner. `queues`: a message is
    sent. `to`: where it goes when `destination` is a username. Then the range of `to` counts and
    requires no work, which would reveal that the name is taken. `signed_in`: a user requests a code
    for their own address, which requires no work.
    """
    return SendLimits(
        send_scopes(
            settings,
            destination,
            client,
            is_known_device=is_known_device,
            conceal=conceal,
            queues=queues,
            to=to,
        ),
        watched_range(settings, to or destination, client, conceal=conceal and to is None),
        is_known_device=is_known_device,
        has_verified_owner=has_verified_owner,
        proof_of_work="off" if signed_in else settings.proof_of_work,
        solution=client.solution,
    )
