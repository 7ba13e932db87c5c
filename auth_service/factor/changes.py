"""Changes of a user's factors, for a session and for an enrolment ticket alike."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor import repository
from auth_service.factor.model import (
    MAX_TOTP,
    ConfirmedFactor,
    Factor,
    PendingTotp,
    SealedTotp,
    TotpUse,
)
from auth_service.factor.recovery import repository as recovery
from auth_service.factor.recovery.codes import generate_codes, hash_code
from auth_service.factor.totp import SECRET_BYTES, otpauth_uri, qr_svg, to_base32
from auth_service.factor.totp_seals import TotpSeals
from auth_service.notification.service import Notifications
from auth_service.passkey.errors import CredentialInvalid
from auth_service.passkey.model import NewPasskey
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorChanges:
    """Stores changes of a user's factors, and notifies the user. Its callers authenticate."""

    database: Database
    totp_seals: TotpSeals
    notifications: Notifications
    audit: AuditLog
    settings: AuthSettings
    clock: Clock
    entropy: Entropy

    async def begin_totp(self, user: User, name: str) -> PendingTotp:
        """Store an authenticator, which counts once a code confirms it within 10 minutes.

        Raises:
            Conflict: the user has `MAX_TOTP` authenticators.
        """
        secret, now = self.entropy.bytes(SECRET_BYTES), self.clock.now()
        factor_id = new_id(self.clock, self.entropy)
        factor = SealedTotp(factor_id, self.totp_seals.seal(factor_id, secret), 0)
        if not await repository.insert_pending(self.database, user.id, factor, name, now):
            raise Conflict(f"There are {MAX_TOTP} authenticators, the most: remove one first")
        uri = otpauth_uri(secret, _account_name(user), self.settings.product_name)
        svg = await asyncio.to_thread(qr_svg, uri)
        return PendingTotp(factor_id, to_base32(secret), uri, svg)

    async def find_confirmation(self, user_id: UUID, factor_id: UUID, code: str) -> TotpUse | None:
        """Return the use that confirms a pending authenticator; None for a wrong code.

        Raises:
            NotFound: no such authenticator waits for its code.
        """
        now = self.clock.now()
        pending = await repository.find_pending(self.database, factor_id, user_id, now)
        if pending is None:
            raise NotFound
        return next(iter(self.totp_seals.find_uses([pending], code, now)), None)

    async def confirm(
        self, connection: Connection, user: User, use: TotpUse, event: Event
    ) -> ConfirmedFactor:
        """Make the authenticator of the locked user count.

        Raises:
            NotFound: another request has confirmed or replaced it meanwhile.
        """
        factor = await repository.confirm(
            connection, use, user.id, self.clock.now(), event_json=self.audit.to_json(event)
        )
        if factor is None:
            raise NotFound
        return await self._complete(connection, user, factor)

    async def add_passkey(
        self, connection: Connection, user: User, new: NewPasskey, name: str, event: Event
    ) -> ConfirmedFactor:
        """Store a passkey of the locked user.

        Raises:
            CredentialInvalid: it is registered already, or the user has `MAX_PASSKEYS`.
        """
        now = self.clock.now()
        factor = Factor(new_id(self.clock, self.entropy), "passkey", name, now, now)
        stored = await repository.insert_passkey(
            connection, factor, user.id, new, event_json=self.audit.to_json(event)
        )
        if stored is None:
            raise CredentialInvalid(reason="registered already, or one passkey too many")
        return await self._complete(connection, user, stored)

    async def _complete(
        self, connection: Connection, user: User, factor: Factor
    ) -> ConfirmedFactor:
        codes = () if user.factor_kinds else await self.replace_codes(connection, user)
        await repository.store_kinds(connection, user.id)
        return ConfirmedFactor(factor, codes)

    async def replace_codes(self, connection: Connection, user: User) -> Sequence[str]:
        """Store new recovery codes of the locked user, and return them."""
        codes = generate_codes(self.entropy)
        hashes = [hash_code(code) for code in codes]
        await recovery.replace_recovery_codes(connection, user.id, hashes, self.clock.now())
        return codes

    async def notify(self, user: User, template: str, client: Client) -> None:
        """Notify the user by mail and by SMS: the thief of one contact cannot hide both."""
        for to in user.destinations("email", "sms"):
            await self.notifications.send(user, template, client, to=to)


def _account_name(user: User) -> str:
    """Return the name that an app shows beside the product."""
    return user.email or user.phone_number or user.username or user.name
