"""A user's second factors: listing, adding, renaming and removing them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.audit.service import AuditLog
from auth_service.device import repository as devices
from auth_service.device.model import RememberedDevice
from auth_service.factor import repository
from auth_service.factor.changes import FactorChanges
from auth_service.factor.errors import MfaInvalid
from auth_service.factor.model import (
    BY_TOTP,
    ConfirmedFactor,
    Factor,
    PendingTotp,
    passkey_amr,
)
from auth_service.factor.recovery import repository as recovery
from auth_service.passkey.model import PasskeyOptions, PasskeyResponse
from auth_service.passkey.service import Passkeys
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import (
    require_may_add_factor,
    require_recent_authentication,
)
from auth_service.session.repository import find_active_session, lock_user
from auth_service.user.model import User
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import Conflict, NotFound, TokenRevoked


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorService:
    """Lists and changes a user's second factors.

    A change needs a recent authentication, else it raises `StepUpRequired`. That authentication has
    proven a factor if the user has one. Before the first factor, it has proven a contact.
    """

    database: Database
    changes: FactorChanges
    passkeys: Passkeys
    audit: AuditLog
    clock: Clock

    async def list_factors(self, user_id: UUID) -> list[Factor]:
        """Return the confirmed factors, the oldest first."""
        return await repository.list_factors(self.database, user_id)

    async def add_totp(self, caller: Caller, name: str) -> PendingTotp:
        """Store an authenticator, which counts once a code confirms it within 10 minutes.

        Raises:
            StepUpRequired: see above.
            Conflict: the user has `MAX_TOTP` authenticators.
        """
        require_may_add_factor(caller, self.clock.now())
        return await self.changes.begin_totp(caller.user, name)

    async def confirm_totp(
        self, caller: Caller, factor_id: UUID, code: str, context: SignInContext
    ) -> ConfirmedFactor:
        """Confirm an authenticator by its code; the session has then proven it.

        Raises:
            StepUpRequired: see above.
            NotFound: no such authenticator waits for its code.
            MfaInvalid: the code is wrong.
        """
        require_may_add_factor(caller, self.clock.now())
        use = await self.changes.find_confirmation(caller.user.id, factor_id, code)
        event = caller.event("factor.added", context.origin, kind="totp")
        async with self.audit.record_refusals(event):
            if use is None:
                raise MfaInvalid
        async with self._change(caller) as (connection, user):
            confirmed = await self.changes.confirm(connection, user, use, event)
            await repository.record_authentication(connection, caller, BY_TOTP, self.clock.now())
        await self.changes.notify(user, "factor_added", context.client)
        return confirmed

    async def passkey_options(self, caller: Caller) -> PasskeyOptions:
        """Return the options for a new passkey; they count in the caller's session alone.

        Raises:
            StepUpRequired: see above.
            Conflict: the user has `MAX_PASSKEYS`.
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        require_may_add_factor(caller, self.clock.now())
        return await self.passkeys.registration_options(caller.user, str(caller.session_id))

    async def add_passkey(
        self, caller: Caller, response: PasskeyResponse, name: str, context: SignInContext
    ) -> ConfirmedFactor:
        """Store a passkey; the session has then proven it.

        Raises:
            StepUpRequired: see above.
            CredentialInvalid: the response or its challenge does not count.
        """
        require_may_add_factor(caller, self.clock.now())
        new = await self.passkeys.verify_registration(response, str(caller.session_id))
        event = caller.event("factor.added", context.origin, kind="passkey")
        async with self._change(caller) as (connection, user):
            confirmed = await self.changes.add_passkey(connection, user, new, name, event)
            amr = passkey_amr(new.state)
            await repository.record_authentication(connection, caller, amr, self.clock.now())
        await self.changes.notify(user, "factor_added", context.client)
        return confirmed

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
        """Remove a factor; the user's sessions have `aal1` from their next refresh on.

        Raises:
            StepUpRequired: see above.
            NotFound: the caller has no such factor.
        """
        require_recent_authentication(caller, self.clock.now())
        event = caller.event("factor.removed", context.origin)
        async with self._change(caller) as (connection, user):
            if not await repository.remove(
                connection, factor_id, caller.user.id, event_json=self.audit.to_json(event)
            ):
                raise NotFound
            await repository.store_kinds(connection, user.id)
        await self.changes.notify(user, "factor_removed", context.client)

    async def list_remembered_devices(self, user_id: UUID) -> list[RememberedDevice]:
        """Return the devices that sign in without the factor, the oldest first."""
        now = self.clock.now()
        return await devices.list_devices(self.database, user_id, now)

    async def forget_device(
        self, caller: Caller, remembered_id: UUID | None, context: SignInContext
    ) -> None:
        """Forget one remembered device, or all without an id; its next sign-in needs a factor.

        Raises:
            NotFound: the caller has no such device.
        """
        event = self.audit.to_json(caller.event("device.forgotten", context.origin))
        async with self.database.transaction() as connection:
            await lock_user(connection, caller.user.id)
            found = await devices.forget(
                connection, caller.user.id, remembered_id, event_json=event
            )
        if remembered_id is not None and not found:
            raise NotFound

    async def count_recovery_codes(self, user_id: UUID) -> int:
        """Return how many recovery codes are left."""
        return await recovery.count_recovery_codes(self.database, user_id)

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
            codes = await self.changes.replace_codes(connection, user)
            event = caller.event("recovery_codes.replaced", context.origin)
            await self.audit.append(event, connection)
        await self.changes.notify(user, "recovery_codes_replaced", context.client)
        return codes

    @asynccontextmanager
    async def _change(self, caller: Caller) -> AsyncIterator[tuple[Connection, User]]:
        """Open a transaction that changes factors; yield the locked user as stored now.

        Raises:
            StepUpRequired: another request has added or removed a factor meanwhile.
            TokenRevoked: another request has ended the session meanwhile.
        """
        user, now = caller.user, self.clock.now()
        async with self.database.transaction() as connection:
            await lock_user(connection, user.id)
            session = await find_active_session(
                connection, caller.session_id, user.id, user.generation, now
            )
            if session is None:
                raise TokenRevoked
            amr = session.still_counted(caller.amr)
            require_recent_authentication(replace(caller, user=session.user, amr=amr), now)
            yield connection, session.user
