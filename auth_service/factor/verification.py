"""Proving a second factor: each code and each response of a passkey is right once, ever."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from auth_service.audit.model import Origin
from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.factor import repository
from auth_service.factor.model import FactorUse, Proof, RecoveryCodeUse
from auth_service.factor.recovery.repository import use_recovery_code
from auth_service.factor.recovery.service import RecoveryCodes
from auth_service.factor.totp_seals import TotpSeals
from auth_service.passkey.challenges import Ceremony
from auth_service.passkey.errors import CredentialInvalid
from auth_service.passkey.model import PasskeyOptions, PasskeyUse
from auth_service.passkey.service import Passkeys
from auth_service.rate_limit.model import totp_scope
from auth_service.rate_limit.service import RateLimiter, Refund
from auth_service.session.model import Caller
from auth_service.session.sign_in.model import RECOVERY_CODE
from auth_service.session.sign_in.service import find_methods
from auth_service.user.model import User
from shared.clock import Clock
from shared.db import Connection, Database


@dataclass(frozen=True, slots=True)
class FactorVerifier:
    """Finds and uses proofs of second factors, and limits them."""

    database: Database
    totp_seals: TotpSeals
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    devices: KnownDevices
    rate_limiter: RateLimiter
    clock: Clock

    async def find_methods(self, user: User) -> tuple[str, ...]:
        """Return how the user can prove a second factor."""
        return await find_methods(self.database, user)

    async def step_up_options(self, caller: Caller) -> PasskeyOptions | None:
        """Return options that name the caller's passkeys; None for a caller without one."""
        if "passkey" not in caller.user.factor_kinds or not self.passkeys.are_available:
            return None
        return await self.passkeys.authentication_options(step_up_ceremony(caller), caller.user.id)

    async def find_uses(
        self, user_id: UUID, proof: Proof, ceremony: Ceremony, origin: Origin
    ) -> Sequence[FactorUse]:
        """Return the possible uses of the proof; none for a wrong one.

        This consumes a passkey's challenge and nothing else. `ceremony`: that of the options. Most
        wrong codes end here, before a transaction.
        """
        if proof.response is not None:
            try:
                return [await self.passkeys.verify(proof.response, ceremony, origin, user_id)]
            except CredentialInvalid:
                return []
        if proof.method == RECOVERY_CODE:
            return [self.recovery_codes.find_use(user_id, proof.code, origin)]
        factors = await repository.list_totp(self.database, user_id)
        return self.totp_seals.find_uses(factors, proof.code, self.clock.now())

    async def use(self, connection: Connection, uses: Sequence[FactorUse]) -> bool:
        """Store the first use that counts; False for a wrong proof, or one used meanwhile.

        The transaction has locked the user.
        """
        now = self.clock.now()
        for use in uses:
            if isinstance(use, RecoveryCodeUse):
                is_used = await use_recovery_code(connection, use)
            elif isinstance(use, PasskeyUse):
                is_used = await repository.use_passkey(connection, use, now)
            else:
                is_used = await repository.use_totp(connection, use, now)
            if is_used:
                return True
        return False

    async def notify_used(self, user: User, proof: Proof, client: Client) -> None:
        """Notify the user if the proof was a recovery code."""
        if proof.method == RECOVERY_CODE:
            await self.recovery_codes.notify_used(user, client)

    @asynccontextmanager
    async def attempt(
        self, user_id: UUID, proof: Proof, device: bytes | None
    ) -> AsyncIterator[Refund]:
        """Count a proof while the block checks it; yields the refund for a right one.

        `device`: of the sign-in or the session. Few become known, however often a thief signs in.

        Raises:
            RateLimited: too many lately of that user, on that device if it is known.
        """
        # recovery codes and passkeys cannot be guessed: no guesses keep them out
        if proof.method != "totp":
            yield _refund_nothing
            return
        is_known = await self.devices.is_known(str(user_id), device)
        scope = totp_scope(user_id, device if is_known else None)
        async with self.rate_limiter.attempt([scope]) as refund:
            yield refund


def step_up_ceremony(caller: Caller) -> Ceremony:
    """Return the ceremony of a passkey in a step-up of the caller's session."""
    return Ceremony("step_up", str(caller.session_id))


async def _refund_nothing() -> None:
    """Nothing was counted."""
