"""Proving a second factor: each code is right once, ever."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.factor import repository
from auth_service.factor.model import Proof, SealedTotp, TotpUse
from auth_service.factor.totp import matching_steps
from auth_service.keyring import Keyring, SealBrokenError
from auth_service.rate_limit.model import own_totp_scope, totp_scope
from auth_service.rate_limit.service import RateLimiter, Refund
from auth_service.session.model import Caller
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable


@dataclass(frozen=True, slots=True)
class TotpSeals:
    """Seals the secrets of authenticators, each to its own row."""

    keyring: Keyring

    def seal(self, factor_id: UUID, secret: bytes) -> bytes:
        """Return the secret sealed under the newest key."""
        return self.keyring.seal("totp", factor_id.bytes + secret)

    def find_use(self, factor: SealedTotp, code: str, now: datetime) -> TotpUse | None:
        """Return the use of a code that is right and newer than the last one; None for others.

        Its secret is sealed anew, so that it outlives the key that sealed it before.

        Raises:
            ServiceUnavailable: no configured key opens the secret, or it belongs to another row.
        """
        try:
            secret = self._open(factor)
        except SealBrokenError:
            raise ServiceUnavailable(
                detail="The key of the second factor is not known here"
            ) from None
        for step in matching_steps(secret, code, now):
            if step > factor.last_step:
                return TotpUse(factor.id, step, self.seal(factor.id, secret))
        return None

    def reseal(self, factor: SealedTotp) -> bytes | None:
        """Return the secret sealed under the newest key; None when it is already.

        Raises:
            SealBrokenError: no configured key opens the secret, or it belongs to another row.
        """
        if self.keyring.is_sealed_by_newest("totp", factor.secret):
            return None
        return self.seal(factor.id, self._open(factor))

    def _open(self, factor: SealedTotp) -> bytes:
        plain = self.keyring.open("totp", factor.secret)
        if not plain.startswith(factor.id.bytes):
            raise SealBrokenError
        return plain.removeprefix(factor.id.bytes)


@dataclass(frozen=True, slots=True)
class FactorVerifier:
    """Finds and uses proofs of second factors, and limits them."""

    database: Database
    totp_seals: TotpSeals
    devices: KnownDevices
    rate_limiter: RateLimiter
    clock: Clock

    async def find_uses(self, user_id: UUID, proof: Proof) -> Sequence[TotpUse]:
        """Return what the proof could use; nothing for a wrong one. It changes nothing.

        Most wrong proofs end here, before a transaction.
        """
        now = self.clock.now()
        factors = await repository.list_totp(self.database, user_id)
        uses = [self.totp_seals.find_use(factor, proof.code, now) for factor in factors]
        return [use for use in uses if use]

    async def use(self, connection: Connection, uses: Sequence[TotpUse]) -> bool:
        """Use one of them; False when others have used them meanwhile."""
        now = self.clock.now()
        for use in uses:
            if await repository.use_totp(connection, use, now):
                return True
        return False

    @asynccontextmanager
    async def attempt_sign_in(self, user_id: UUID, client: Client) -> AsyncIterator[Refund]:
        """Count a proof of a sign-in while the block checks it; yields the refund for a right one.

        Raises:
            RateLimited: too many lately of that user, on that device if it is known.
        """
        is_known = await self.devices.is_known(str(user_id), client.device)
        scope = totp_scope(user_id, client, is_known_device=is_known)
        async with self.rate_limiter.attempt([scope]) as refund:
            yield refund

    @asynccontextmanager
    async def attempt_in_session(self, caller: Caller) -> AsyncIterator[Refund]:
        """Count a proof in a session likewise.

        Raises:
            RateLimited: too many lately in that session.
        """
        scope = own_totp_scope(caller.user.id, caller.session_id)
        async with self.rate_limiter.attempt([scope]) as refund:
            yield refund
