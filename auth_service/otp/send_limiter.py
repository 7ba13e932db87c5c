"""The limits of a code's sending, and the refusals that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.device.service import KnownDevices
from auth_service.otp.model import ChallengeMessage, Purpose
from auth_service.rate_limit.errors import LimitReached, ProofRequired
from auth_service.rate_limit.model import SendRequest
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.send_limits import SendLimits, send_limits
from auth_service.settings import AuthSettings


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

        A reset always conceals whether there is an account; a step-up's user knows it.
        """
        always_conceals, is_signed_in = purpose == "reset_password", purpose == "step_up"
        request = SendRequest(
            destination,
            client,
            is_known_device=await self.devices.is_known(destination.address, client.device),
            has_verified_owner=message.has_verified_owner,
            conceal=always_conceals or (self.settings.conceals and not is_signed_in),
            queues=message.template is not None,
            to=message.to,
            signed_in=is_signed_in,
        )
        return send_limits(self.settings, request)

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
