"""Registering an account, and requesting its activation code again."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import conceal_duration
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage, MailedLink
from auth_service.otp.service import OtpChallenges
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.policy import require_acceptable_password
from auth_service.registration import repository
from auth_service.registration.errors import AlreadyRegistered
from auth_service.registration.model import RESENT, RegistrationRequest, TakenIdentifiers
from auth_service.settings import AuthSettings
from auth_service.user.errors import UserNotRegistered
from auth_service.user.reserved_usernames import require_not_reserved
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.logs import mask
from shared.opaque_tokens import hash_token

NOTIFY_OWNER = ChallengeMessage(
    {}, template="already_registered", has_valid_code=False, has_verified_owner=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationService:
    """Stores registrations, and sends their activation codes."""

    database: Database
    challenges: OtpChallenges
    attempts: PasswordAttempts
    audit: AuditLog
    settings: AuthSettings
    clock: Clock
    entropy: Entropy

    async def register(self, wanted: RegistrationRequest, client: Client) -> tuple[Challenge, UUID]:
        """Store a registration and send its code; return the challenge and the user's id.

        When accounts are concealed, the owner of a taken address gets a message that says so, and
        the challenge is a decoy.

        Raises:
            ValidationFailed: the password is refused, or the username is reserved.
            AlreadyRegistered: an identifier is taken, and accounts are not concealed.
            RateLimited: too many codes.
        """
        if wanted.username is not None:
            require_not_reserved(wanted.username, self.settings.reserved_usernames)
        password = await self._hash_password(wanted, client)
        user_id = new_id(self.clock, self.entropy)
        async with conceal_duration(conceal=self.settings.conceals):
            challenge = await self._send(wanted, user_id, client)
        origin = Origin(client.address, client.user_agent, client.request_id)
        details = {"to": mask(wanted.destination.address)}
        async with self.database.transaction() as connection:
            now = self.clock.now()
            await repository.insert_pending_user(connection, user_id, wanted, password, now)
            await repository.add_handle(connection, hash_token(challenge.handle), user_id, now)
            event = Event("user.registered", origin, user_id, details=details)
            await self.audit.append(event, connection)
        return challenge, user_id

    async def _hash_password(self, wanted: RegistrationRequest, client: Client) -> str | None:
        if wanted.password is None:
            return None
        require_acceptable_password(
            wanted.password, field="password", username=wanted.username, email=wanted.email
        )
        return await self.attempts.hash_new(wanted.password, client)

    async def _send(self, wanted: RegistrationRequest, user_id: UUID, client: Client) -> Challenge:
        taken = await repository.find_taken_identifiers(self.database, wanted)
        if not self.settings.conceals:
            _require_not_taken(taken)
        is_owned = taken.mobile if wanted.mobile else taken.email
        activation = self._activation(wanted.destination, {"user_id": str(user_id)})
        message = NOTIFY_OWNER if is_owned else activation
        return await self.challenges.send("verify", wanted.destination, client, message)

    async def resend_code(
        self, destination: Destination, handle: str | None, client: Client
    ) -> Challenge:
        """Send another activation code.

        `handle`: of an earlier code of the registration, to which the new code then belongs too.
        Without it, the new code proves the address of no particular registration.

        Raises:
            UserNotRegistered: no registration is open, and accounts are not concealed.
            RateLimited: too many codes.
        """
        async with conceal_duration(conceal=self.settings.conceals):
            async with self.database.connection() as connection:
                now = self.clock.now()
                is_open = await repository.has_open_registration(connection, destination, now)
                hash_ = hash_token(handle) if handle else b""
                user_id = await repository.find_by_handle(connection, destination, hash_, now)
            if not is_open and not self.settings.conceals:
                raise UserNotRegistered
            context = {"user_id": str(user_id), RESENT: "yes"} if user_id else {}
            message = self._activation(destination, context) if is_open else DECOY
            challenge = await self.challenges.send("verify", destination, client, message)
            if user_id:
                hash_ = hash_token(challenge.handle)
                await repository.add_handle(self.database, hash_, user_id, now)
            return challenge

    def _activation(self, to: Destination, context: Mapping[str, str]) -> ChallengeMessage:
        link = MailedLink(self.settings.activation_page) if to.channel == "email" else None
        return ChallengeMessage(context, template="activate", link=link)


def _require_not_taken(taken: TakenIdentifiers) -> None:
    if taken.mobile or taken.email:
        raise AlreadyRegistered
    if taken.username:
        raise AlreadyRegistered("The username is taken")
