"""A user's second factors: listing, adding, renaming and removing them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.audit.service import AuditLog
from auth_service.factor import repository
from auth_service.factor.errors import MfaInvalid
from auth_service.factor.model import (
    AMR,
    MAX_TOTP,
    ConfirmedFactor,
    Factor,
    PendingTotp,
    RememberedDevice,
    SealedTotp,
)
from auth_service.factor.recovery_codes import generate_codes, hash_code
from auth_service.factor.remembered import repository as remembered
from auth_service.factor.totp import SECRET_BYTES, otpauth_uri, qr_svg, to_base32
from auth_service.factor.verification import TotpSeals
from auth_service.notification.service import Notifications
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound, TokenRevoked


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorService:
    """Changes a user's second factors. A change needs a recent authentication.

    For a user who has a factor it must have proven one: else `StepUpRequired`.
    """

    database: Database
    totp_seals: TotpSeals
    notifications: Notifications
    audit: AuditLog
    settings: AuthSettings
    clock: Clock
    entropy: Entropy

    async def list_factors(self, user_id: UUID) -> list[Factor]:
        """Return the confirmed factors, the oldest first."""
        return await repository.list_factors(self.database, user_id)

    async def add_totp(self, caller: Caller, name: str) -> PendingTotp:
        """Store an authenticator that counts once a code of it has come back, within 10 minutes.

        Raises:
            StepUpRequired: see above.
            Conflict: the user has the most authenticators.
        """
        now, user = self.clock.now(), caller.user
        require_recent_authentication(caller, now)
        secret = self.entropy.bytes(SECRET_BYTES)
        factor_id = new_id(self.clock, self.entropy)
        factor = SealedTotp(factor_id, self.totp_seals.seal(factor_id, secret), 0)
        if not await repository.insert_pending(self.database, user.id, factor, name, now):
            raise Conflict(f"There are {MAX_TOTP} authenticators, the most: remove one first")
        uri = otpauth_uri(secret, _account_name(user), self.settings.product_name)
        svg = await asyncio.to_thread(qr_svg, uri)
        return PendingTotp(factor_id, to_base32(secret), uri, svg)

    async def confirm_totp(
        self, caller: Caller, factor_id: UUID, code: str, context: SignInContext
    ) -> ConfirmedFactor:
        """Make an authenticator count, by a code of it; the session has proven it then.

        Raises:
            StepUpRequired: see above.
            NotFound: no such authenticator waits for its code.
            MfaInvalid: the code is wrong.
        """
        now = self.clock.now()
        require_recent_authentication(caller, now)
        pending = await repository.find_pending(self.database, factor_id, caller.user.id, now)
        if pending is None:
            raise NotFound
        event = caller.event("factor.added", context.origin, kind="totp")
        async with self.audit.record_refusals(event):
            use = self.totp_seals.find_use(pending, code, now)
            if use is None:
                raise MfaInvalid
        async with self._change(caller) as (connection, user):
            factor = await repository.confirm(
                connection, use, caller, now, event_json=self.audit.to_json(event)
            )
            if factor is None:
                raise NotFound
            await repository.record_authentication(connection, caller, AMR["totp"], now)
            codes = () if user.factor_kinds else await self._store_codes(connection, user)
        await self._notify(caller, "factor_added", context)
        return ConfirmedFactor(factor, codes)

    async def rename(
        self, caller: Caller, factor_id: UUID, name: str, context: SignInContext
    ) -> Factor:
        """Give a factor another name.

        Raises:
            NotFound: the caller has no such factor.
        """
        event = caller.event("factor.renamed", context.origin)
        async with self.database.transaction() as connection:
            factor = await repository.rename(
                connection, factor_id, caller.user.id, name, event_json=self.audit.to_json(event)
            )
        if factor is None:
            raise NotFound
        return factor

    async def remove(self, caller: Caller, factor_id: UUID, context: SignInContext) -> None:
        """Remove a factor; sessions count as proven by one factor from their next refresh on.

        Raises:
            StepUpRequired: see above.
            NotFound: the caller has no such factor.
        """
        require_recent_authentication(caller, self.clock.now())
        event = caller.event("factor.removed", context.origin)
        async with self._change(caller) as (connection, _):
            if not await repository.remove(
                connection, factor_id, caller.user.id, event_json=self.audit.to_json(event)
            ):
                raise NotFound
        await self._notify(caller, "factor_removed", context)

    async def list_remembered_devices(self, user_id: UUID) -> list[RememberedDevice]:
        """Return the devices that sign in without the factor, the oldest first."""
        now = self.clock.now()
        return await remembered.list_devices(self.database, user_id, now)

    async def forget_device(
        self, caller: Caller, remembered_id: UUID | None, context: SignInContext
    ) -> None:
        """Ask for the factor again on one remembered device; without an id on all of them.

        Raises:
            NotFound: the caller has no such device.
        """
        event = self.audit.to_json(caller.event("device.forgotten", context.origin))
        found = await remembered.forget(
            self.database, caller.user.id, remembered_id, event_json=event
        )
        if remembered_id is not None and not found:
            raise NotFound

    async def count_recovery_codes(self, user_id: UUID) -> int:
        """Return how many recovery codes are left."""
        return await repository.count_recovery_codes(self.database, user_id)

    async def replace_recovery_codes(self, caller: Caller, context: SignInContext) -> Sequence[str]:
        """Return new recovery codes; the old ones are invalid.

        Raises:
            StepUpRequired: see above.
            Conflict: there is no factor to recover.
        """
        require_recent_authentication(caller, self.clock.now())
        async with self._change(caller) as (connection, user):
            if not user.factor_kinds:
                raise Conflict("There is no second factor, so there is nothing to recover")
            codes = await self._store_codes(connection, user)
            event = caller.event("recovery_codes.replaced", context.origin)
            await self.audit.append(event, connection)
        return codes

    async def _store_codes(self, connection: Connection, user: User) -> Sequence[str]:
        codes = generate_codes(self.entropy)
        hashes = [hash_code(code) for code in codes]
        await repository.replace_recovery_codes(connection, user.id, hashes, self.clock.now())
        return codes

    @asynccontextmanager
    async def _change(self, caller: Caller) -> AsyncIterator[tuple[Connection, User]]:
        """Open a transaction that changes factors, with the user as it is now.

        Raises:
            StepUpRequired: another request has added the first factor meanwhile.
            TokenRevoked: another request has ended the user's sessions meanwhile.
        """
        async with self.database.transaction() as connection:
            user = await repository.lock_user(connection, caller.user)
            if user is None:
                raise TokenRevoked
            require_recent_authentication(replace(caller, user=user), self.clock.now())
            yield connection, user
            await repository.store_kinds(connection, user.id)

    async def _notify(self, caller: Caller, template: str, context: SignInContext) -> None:
        """Tell the user by mail and by SMS, so that one stolen contact cannot hide it."""
        for to in caller.user.destinations("email", "sms"):
            await self.notifications.send(caller.user, template, context.client, to=to)


def _account_name(user: User) -> str:
    """Return the name that an app shows beside the product."""
    return user.email or user.phone_number or user.username or user.name
