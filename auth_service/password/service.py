"""Replacing a password that is forgotten."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import minimum_duration
from auth_service.opaque_tokens import SECRET_BYTES, encode_token, has_valid_checksum, hash_token
from auth_service.otp.errors import NoActiveChallenge, OtpInvalid
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage, ResetLink, VerifiedChallenge
from auth_service.parts import Parts
from auth_service.password import repository
from auth_service.session.model import SignInContext
from auth_service.session.repository import lock_user, revoke_all_sessions
from auth_service.user.model import Account, User
from auth_service.user.repository import Name, find_account, look_up_account
from shared.logs import mask

TICKET_LIFE = timedelta(minutes=10)
FIELD = "new_password"


@dataclass(frozen=True, slots=True)
class AccountIdentifier:
    """An account by one of its names, in the form in which it is stored."""

    kind: Name
    name: str

    @property
    def destination(self) -> Destination:
        """What the challenge is for; a username stands for itself, as no address begins."""
        if self.kind == "username":
            return Destination("email", f"@{self.name.lower()}")
        return Destination(self.kind, self.name)


async def ask(parts: Parts, named: AccountIdentifier, client: Client) -> Challenge:
    """Send a code, and by mail a link, to the account with that name; or do as if.

    Raises:
        RateLimited: too many codes.
    """
    async with minimum_duration():
        account = await _find(parts, named)
        challenge = await _send(parts, named, account, client)
        origin = SignInContext(client, ()).origin
        user_id = account.user.id if account else None
        event = Event("password.reset_asked", origin, user_id, details={"to": mask(named.name)})
        await parts.audit.append(event)
    return challenge


async def _send(
    parts: Parts, named: AccountIdentifier, account: Account | None, client: Client
) -> Challenge:
    ticket = encode_token("cht_", parts.entropy.bytes(SECRET_BYTES))
    page = f"{parts.settings.public_url.rstrip('/')}/console"
    return await parts.challenges.send(
        "reset_password",
        named.destination,
        client,
        _reset_message(named, account) if account else DECOY,
        has_verified_owner=account is not None,
        conceal=True,
        link=ResetLink(page, ticket) if named.destination.channel == "email" else None,
    )


async def exchange(
    parts: Parts, named: AccountIdentifier, code: str, handle: str | None, context: SignInContext
) -> str:
    """Return a ticket for the right code; the code is spent, unless the ticket cannot be stored.

    Raises:
        OtpInvalid: the code is wrong, spent or expired, or the account has changed since.
        RateLimited: too many wrong codes.
    """
    ticket, now = encode_token("cht_", parts.entropy.bytes(SECRET_BYTES)), parts.clock.now()
    async with parts.audit.record_refusals(_reset_event(context, to=named.name)):
        proof = await _verify_code(parts, named, code, handle, context)
        async with parts.challenges.restore_on_failure(proof):
            account = await _account_of(parts, proof)
            to, hash_ = proof.context["to"], hash_token(ticket)
            if not await repository.add_ticket(
                parts.database,
                account,
                to,
                hash_,
                now=now,
                expires_at=now + TICKET_LIFE,
                asked_at=proof.requested_at,
            ):
                raise OtpInvalid
    return ticket


async def reset_by_code(
    parts: Parts,
    named: AccountIdentifier,
    code: str,
    handle: str | None,
    context: SignInContext,
    *,
    password: str,
) -> None:
    """Set the password of whoever sends the right code, and sign them out everywhere.

    When the password is refused or cannot be stored, the code stays good.

    Raises:
        ValidationFailed: the password is refused.
        OtpInvalid: the code is wrong, spent or expired, or the account has changed since.
        RateLimited: too many wrong codes.
        RevocationPending: it is set, but other services may not know of the signing out yet.
    """
    parts.policy.require(password, field=FIELD)  # what says nothing of the account comes first
    async with parts.audit.record_refusals(_reset_event(context, to=named.name)):
        proof = await _verify_code(parts, named, code, handle, context)
        user = await _reset_by_proof(parts, proof, password, context)
    await _announce_reset(parts, user, context)


async def reset_by_ticket(parts: Parts, ticket: str, password: str, context: SignInContext) -> None:
    """Set the password of whoever has the ticket, and sign them out everywhere.

    It came for a code or in a mail, and works once; when the password is refused or cannot be
    stored, it stays good.

    Raises:
        ValidationFailed: the password is refused.
        OtpInvalid: the ticket is not one of ours, spent or expired, or the account has changed.
        RevocationPending: it is set, but other services may not know of the signing out yet.
    """
    parts.policy.require(password, field=FIELD)
    async with parts.audit.record_refusals(_reset_event(context)):
        if not has_valid_checksum("cht_", ticket):
            raise NoActiveChallenge
        hash_ = hash_token(ticket)
        account = await repository.find_ticket(parts.database, hash_, parts.clock.now())
        if account:
            user = await _reset(parts, account, password, context, ticket=hash_)
        elif proof := await parts.challenges.redeem_ticket(ticket):
            user = await _reset_by_proof(parts, proof, password, context)
        else:
            raise NoActiveChallenge
    await _announce_reset(parts, user, context)


async def _verify_code(
    parts: Parts, named: AccountIdentifier, code: str, handle: str | None, context: SignInContext
) -> VerifiedChallenge:
    return await parts.challenges.verify(
        "reset_password", named.destination, code, handle, context.client
    )


async def _reset_by_proof(
    parts: Parts, proof: VerifiedChallenge, password: str, context: SignInContext
) -> User:
    async with parts.challenges.restore_on_failure(proof):
        account = await _account_of(parts, proof)
        return await _reset(
            parts, account, password, replace(context, code_requested_at=proof.requested_at)
        )


async def _reset(
    parts: Parts,
    account: Account,
    password: str,
    context: SignInContext,
    *,
    ticket: bytes | None = None,
) -> User:
    user, now = account.user, parts.clock.now()
    parts.policy.require(password, field=FIELD, username=user.username, email=user.email)
    fresh = await parts.hasher.hash(password, context.client.network)
    event = _reset_event(context, user_id=user.id)
    async with parts.invalidator.revocation_transaction(parts.database, user) as connection:
        await lock_user(connection, user.id)
        if ticket and not await repository.consume_ticket(connection, ticket, now):
            raise OtpInvalid
        if not await repository.set_password(
            connection, account, fresh, asked_at=context.code_requested_at
        ):
            raise OtpInvalid
        await revoke_all_sessions(
            connection,
            user.id,
            reason="password_reset",
            event=parts.audit.to_json(event),
            now=now,
            until=parts.lives.revocation_expiry(now),
        )
    return user


async def _announce_reset(parts: Parts, user: User, context: SignInContext) -> None:
    await parts.notifications.send(user, "password_reset", context.client)
    await parts.publisher.publish_pending_of_user(user.id)


async def _find(parts: Parts, named: AccountIdentifier) -> Account | None:
    async with parts.database.connection() as connection:
        now = parts.clock.now()
        return (await look_up_account(connection, named.kind, named.name, now)).active


async def _account_of(parts: Parts, proof: VerifiedChallenge) -> Account:
    """Return the account that the code was sent to, while it is what it was then."""
    async with parts.database.connection() as connection:
        account = await find_account(connection, UUID(proof.context["user_id"]))
    reached = _verified_destinations(account.user) if account else []
    if account is None or proof.context not in [_challenge_context(account, to) for to in reached]:
        raise OtpInvalid
    return account


def _reset_message(named: AccountIdentifier, account: Account) -> ChallengeMessage:
    """Send to the address that was named; for a username to the mail address, if it is verified."""
    reached = _verified_destinations(account.user)
    to = named.destination if named.destination in reached else reached[0]
    context = _challenge_context(account, to)
    return ChallengeMessage(context, template="reset", to=None if to == named.destination else to)


def _verified_destinations(user: User) -> list[Destination]:
    """Return the addresses at which an active user is known to be."""
    return user.destinations("email", "sms") if user.active else []


def _challenge_context(account: Account, to: Destination) -> dict[str, str]:
    """Return what a code is bound to: whatever changes one of these kills it."""
    return {
        "user_id": str(account.user.id),
        "generation": str(account.user.generation),
        "password": hash_token(account.password or "").hex(),
        "to": to.address,
    }


def _reset_event(
    context: SignInContext, *, user_id: UUID | None = None, to: str | None = None
) -> Event:
    details = {"to": mask(to)} if to else {}
    return Event("password.reset", context.origin, user_id, details=details)
