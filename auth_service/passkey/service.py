"""Options for authenticators, and the verification of responses to them."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from jwt.utils import base64url_encode

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.passkey import repository
from auth_service.passkey.challenges import Ceremony, PasskeyChallenges
from auth_service.passkey.credential_json import parse_authentication
from auth_service.passkey.errors import CredentialInvalid, SignCountNotIncreased
from auth_service.passkey.model import (
    MAX_PASSKEYS,
    NewPasskey,
    PasskeyOptions,
    PasskeyResponse,
    PasskeyUse,
)
from auth_service.passkey.relying_party_loader import RelyingPartyLoader
from auth_service.user.model import User
from shared.db import Database
from shared.errors import Conflict


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Makes options for passkeys, and verifies responses. It stores challenges alone."""

    database: Database
    relying_party_loader: RelyingPartyLoader
    passkey_challenges: PasskeyChallenges
    audit: AuditLog

    @property
    def are_available(self) -> bool:
        """Tell whether browsers make passkeys for the address of this installation."""
        return self.relying_party_loader.is_available

    async def registration_options(self, user: User, bound_to: str) -> PasskeyOptions:
        """Return the options for another passkey of the user.

        Raises:
            Conflict: the user has `MAX_PASSKEYS`.
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        registered = await repository.list_passkeys(self.database, user.id)
        if len(registered) >= MAX_PASSKEYS:
            raise Conflict(f"There are {MAX_PASSKEYS} passkeys, the most: remove one first")
        party = await self.relying_party_loader.load()
        challenge = await self.passkey_challenges.issue("registration", bound_to)
        return _options(challenge, party.registration_options(user, challenge, registered))

    async def verify_registration(self, response: PasskeyResponse, bound_to: str) -> NewPasskey:
        """Return the new passkey, to be stored.

        Raises:
            CredentialInvalid: the response is malformed or forged, or its challenge does not count.
        """
        party = await self.relying_party_loader.load()
        challenge = await self._consume(response, Ceremony("registration", bound_to))
        return party.verify_registration(response.credential, challenge)

    async def authentication_options(
        self, ceremony: Ceremony, user_id: UUID | None = None
    ) -> PasskeyOptions:
        """Return the options for a response of a registered passkey.

        `user_id`: the owner of the passkeys that may answer. Without it any passkey may, and has to
        verify its user.

        Raises:
            CredentialInvalid: that user has no passkey.
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        allowed = await repository.list_passkeys(self.database, user_id) if user_id else []
        if user_id and not allowed:
            raise CredentialInvalid(reason="the user has no passkey")
        party = await self.relying_party_loader.load()
        challenge = await self.passkey_challenges.issue(*ceremony)
        return _options(challenge, party.authentication_options(challenge, allowed))

    async def verify(
        self,
        response: PasskeyResponse,
        ceremony: Ceremony,
        origin: Origin,
        identified: UUID | None = None,
    ) -> PasskeyUse:
        """Return the use of a passkey that has signed the challenge; it is still to be stored.

        `identified`: the user of a first factor or of a session. Without one the passkey is the
        only factor.

        Raises:
            CredentialInvalid: the response is malformed, forged, a copy's or another user's, or
                its challenge does not count.
        """
        party = await self.relying_party_loader.load()
        challenge = await self._consume(response, ceremony)
        parsed = parse_authentication(response.credential)
        passkey = await repository.find_passkey(self.database, parsed.credential_id)
        if passkey is None:
            raise CredentialInvalid(reason="the passkey is not registered")
        try:
            state = party.verify_authentication(parsed, challenge, passkey, identified=identified)
        except SignCountNotIncreased as copied:
            details = {"stored": str(copied.stored), "received": str(copied.received)}
            event = Event("passkey.copy_suspected", origin, passkey.user_id, "failure")
            await self.audit.append(replace(event, details=details))
            raise
        return PasskeyUse(passkey.credential_id, passkey.user_id, state)

    async def _consume(self, response: PasskeyResponse, ceremony: Ceremony) -> bytes:
        challenge = await self.passkey_challenges.consume(response.challenge, *ceremony)
        if challenge is None:
            raise CredentialInvalid(reason="the challenge is unknown, used, expired or another's")
        return challenge


def _options(challenge: bytes, public_key: dict[str, Any]) -> PasskeyOptions:
    return PasskeyOptions(base64url_encode(challenge).decode(), public_key)
