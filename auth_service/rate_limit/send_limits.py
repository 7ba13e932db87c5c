"""What may refuse one send: its limits, its range of numbers, and the work that is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from auth_service.client import Client, Solution
from auth_service.destination import Destination
from auth_service.rate_limit.breaker import Range, watched
from auth_service.rate_limit.errors import LimitReached
from auth_service.rate_limit.model import Scope, sent_scopes
from auth_service.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The limits of one send, as `send.lua` takes them.

    `known`: the client's device has signed in by the destination. `held`: a verified user holds
    it. `proof`: when a proof of work is asked for. `solution`: the one that came with the request.
    """

    scopes: Sequence[Scope]
    range: Range
    known: bool
    held: bool
    proof: Literal["blocked", "always", "off"]
    solution: Solution | None

    @property
    def keys(self) -> list[str]:
        """Return the keys in the script's order."""
        solution = f"solution:{self.solution.digest}" if self.solution else ""
        return [solution, *self.range.keys, *(scope.key for scope in self.scopes)]

    @property
    def arguments(self) -> list[str]:
        """Return the scopes, and what decides whom they refuse, as JSON."""
        asked = {
            "known": self.known,
            "held": self.held,
            "watcher": self.range.refuses,
            "proof": self.proof,
            "solution_level": self.solution.level if self.solution else 0,
            "solution_expires_at": self.solution.expires_at if self.solution else 0,
        }
        scopes = [(scope.refuses, scope.rates, scope.counts) for scope in self.scopes]
        return [json.dumps(scopes), json.dumps(asked)]

    def refusal(self, index: int, wait_ms: int) -> LimitReached:
        """Return what the script's answer says: which scope refuses, the range after all others."""
        scope = (*self.scopes, self.range.scope)[index - 1]
        return LimitReached(scope.refuses, wait_ms)


def send_limits(
    settings: AuthSettings,
    destination: Destination,
    client: Client,
    *,
    known: bool,
    held: bool,
    quiet: bool,
    queues: bool,
    to: Destination | None = None,
    signed_in: bool = False,
) -> SendLimits:
    """Return the limits of one send.

    `quiet`: who is a newcomer must not show. `queues`: a message is to be sent. `to`: where it goes
    when `destination` is a username: its range is counted then, and asks for no work, which would
    tell that somebody has the name. `signed_in`: a user asks at an address of their own, for which
    no work is asked.
    """
    return SendLimits(
        sent_scopes(settings, destination, client, known=known, quiet=quiet, queues=queues, to=to),
        watched(settings, to or destination, client, quiet=quiet and to is None),
        known=known,
        held=held,
        proof="off" if signed_in else settings.proof_of_work,
        solution=client.solution,
    )
