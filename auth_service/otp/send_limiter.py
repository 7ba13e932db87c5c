"""The limits of a code's sending, and the refusals that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.device.service import KnownDevices
from auth_service.otp.model import ChallengeMessage, Purpose
from auth_service.rate_limit.breaker import NumberRange, watched_range
from auth_service.rate_limit.errors import LimitReached, ProofRequired
from auth_service.rate_limit.model import Scope, SendRequest, send_scopes
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The limits of one send, as `send.lua` takes them.

    `proof_of_work`: when a proof of work is required.
    """

    request: SendRequest
    scopes: Sequence[Scope]
    number_range: NumberRange
    proof_of_work: Literal["blocked", "always", "off"]

    @property
    def keys(self) -> list[str]:
        """Return the keys in the script's order."""
        solution = self.request.client.solution
        used = f"solution:{solution.digest}" if solution else ""
        return [used, *self.number_range.keys, *(scope.key for scope in self.scopes)]

    @property
    def arguments(self) -> dict[str, object]:
        """Return the scopes, and the facts that decide to whom they apply."""
        solution = self.request.client.solution
        return {
            "scopes": [(scope.applies_to, scope.rates, scope.counts) for scope in self.scopes],
            "is_known_device": self.request.is_known_device,
            "has_verified_owner": self.request.has_verified_owner,
            "range_applies_to": self.number_range.applies_to,
            "proof_of_work": self.proof_of_work,
            "solution_level": solution.level if solution else 0,
            "solution_expires_at": solution.expires_at if solution else 0,
        }

    def refusal(self, index: int, wait_ms: int) -> LimitReached:
        """Return the error for the scope with the script's index; the range comes last."""
        refusers = [(scope.setting, scope.applies_to) for scope in self.scopes]
        by_range = "LIMIT_SEND_PER_PREFIX", self.number_range.applies_to
        limit, applies_to = [*refusers, by_range][index - 1]
        return LimitReached(limit, applies_to, wait_ms)


@dataclass(frozen=True, slots=True)
class SendLimiter:
    """Finds the limits of a code; `send.lua` counts in them."""

    settings: AuthSettings
    devices: KnownDevices
    proof_of_work: ProofOfWork

    async def find_limits(
        self,
        purpose: Purpose,
        destination: Destination,
        client: Client,
        message: ChallengeMessage,
    ) -> SendLimits:
        """Return the limits of one code.

        A reset always conceals whether there is an account; a step-up's user knows it. When the
        message goes `to` another address, that one's range counts and requires no work, which would
        reveal that the name is taken. A signed-in user's own address requires no work either.
        """
        always_conceals, is_signed_in = purpose == "reset_password", purpose == "step_up"
        to, settings = message.to, self.settings
        conceal = always_conceals or (settings.conceals and not is_signed_in)
        request = SendRequest(
            destination,
            client,
            is_known_device=await self.devices.is_known(destination.address, client.device),
            has_verified_owner=message.has_verified_owner,
            conceal=conceal,
            queues=message.template is not None,
            to=to,
        )
        return SendLimits(
            request,
            send_scopes(settings, request),
            watched_range(settings, to or destination, client, conceal=conceal and to is None),
            proof_of_work="off" if is_signed_in else settings.proof_of_work,
        )

    def refusal(
        self, limits: SendLimits, outcome: bytes, numbers: Sequence[int]
    ) -> LimitReached | ProofRequired | None:
        """Return the error for the answer of `send.lua`; None if it has stored the challenge."""
        if outcome == b"limited":
            return limits.refusal(*numbers)
        if outcome == b"proof":
            was_presented = limits.request.client.presented_solution
            return self.proof_of_work.refusal(*numbers, was_presented=was_presented)
        return None
