"""Replacing a password that is forgotten."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import constant_time
from auth_service.opaque_tokens import SECRET_BYTES, fingerprint, well_formed, wrap
from auth_service.otp.errors import NothingSent, OtpInvalid
from auth_service.otp.model import NOTHING, Challenge, Errand, Link, Proof
from auth_service.parts import Parts
from auth_service.password import repository
from auth_service.session.model import Entrance
from auth_service.session.repository import lock_user, revoke_user
from auth_service.user.model import Account, User
from auth_service.user.repository import Name, find_account, find_claimants
from shared.logs import mask

TICKET_LIFE = timedelta(minutes=10)
FIELD = "new_password"


@dataclass(frozen=True, slots=True)
class Named:
    """An account by one of its names, in the form in which it is stored."""

    kind: Name
    name: str

    @property
    def destination(self) -> Destination:
        """What the challenge is for; a username stands for itself, as no address begins."""
        if self.kind == "username":
            return Destination("email", f"@{self.name.lower()}")
        return Destination(self.kind, self.name)


async def ask(parts: Parts, named: Named, client: Client) -> Challenge:
    """Send a code, and by mail a link, to the account with that name; or do as if.

    Raises:
        RateLimited: too many codes.
    """
    async with constant_time():
        account = await _find(parts, named)
        challenge = await _send(parts, named, account, client)
        origin = Entrance(client, ()).origin
        user_id = account.user.id if account else None
        event = Event("password.reset_asked", origin, user_id, details={"to": mask(named.name)})
        await parts.audit.append(event)
    return challenge


async def _send(parts: Parts, named: Named, account: Account | None, client: Client) -> Challenge:
    ticket = wrap("cht_", parts.entropy.bytes(SECRET_BYTES))
    page = f"{parts.settings.public_url.rstrip('/')}/console"
    return await parts.challenges.send(
        "reset_password",
        named.destination,
        client,
        _errand(named, account) if account else NOTHING,
        held=account is not None,
        quiet=True,
        link=Link(page, ticket) if named.destination.channel == "email" else None,
    )


async def exchange(
    parts: Parts, named: Named, code: str, handle: str | None, entrance: Entrance
) -> str:
    """Return a ticket for the right code; the code is spent, unless the ticket cannot be stored.

    Raises:
        OtpInvalid: the code is wrong, spent or expired, or the account has changed since.
        RateLimited: too many wrong codes.
    """
    ticket, now = wrap("cht_", parts.entropy.bytes(SECRET_BYTES)), parts.clock.now()
    async with parts.audit.refusals(_event(entrance, to=named.name)):
        proof = await _prove(parts, named, code, handle, entrance)
        async with parts.challenges.spending(proof):
            account = await _proven(parts, proof)
            to, hash_ = proof.context["to"], fingerprint(ticket)
            if not await repository.add_ticket(
                parts.database,
                account,
                to,
                hash_,
                now=now,
                expires_at=now + TICKET_LIFE,
                asked_at=proof.asked_at,
            ):
                raise OtpInvalid
    return ticket


async def reset_by_code(
    parts: Parts, named: Named, code: str, handle: str | None, entrance: Entrance, *, password: str
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
    async with parts.audit.refusals(_event(entrance, to=named.name)):
        proof = await _prove(parts, named, code, handle, entrance)
        user = await _reset_by_proof(parts, proof, password, entrance)
    await _tell(parts, user, entrance)


async def reset_by_ticket(parts: Parts, ticket: str, password: str, entrance: Entrance) -> None:
    """Set the password of whoever has the ticket, and sign them out everywhere.

    It came for a code or in a mail, and works once; when the password is refused or cannot be
    stored, it stays good.

    Raises:
        ValidationFailed: the password is refused.
        OtpInvalid: the ticket is not one of ours, spent or expired, or the account has changed.
        RevocationPending: it is set, but other services may not know of the signing out yet.
    """
    parts.policy.require(password, field=FIELD)
    async with parts.audit.refusals(_event(entrance)):
        if not well_formed("cht_", ticket):
            raise NothingSent
        hash_ = fingerprint(ticket)
        account = await repository.find_ticket(parts.database, hash_, parts.clock.now())
        if account:
            user = await _reset(parts, account, password, entrance, ticket=hash_)
        elif proof := await parts.challenges.redeem(ticket):
            user = await _reset_by_proof(parts, proof, password, entrance)
        else:
            raise NothingSent
    await _tell(parts, user, entrance)


async def _prove(
    parts: Parts, named: Named, code: str, handle: str | None, entrance: Entrance
) -> Proof:
    return await parts.challenges.prove(
        "reset_password", named.destination, code, handle, entrance.client
    )


async def _reset_by_proof(parts: Parts, proof: Proof, password: str, entrance: Entrance) -> User:
    async with parts.challenges.spending(proof):
        account = await _proven(parts, proof)
        return await _reset(parts, account, password, replace(entrance, asked_at=proof.asked_at))


async def _reset(
    parts: Parts,
    account: Account,
    password: str,
    entrance: Entrance,
    *,
    ticket: bytes | None = None,
) -> User:
    user, now = account.user, parts.clock.now()
    parts.policy.require(password, field=FIELD, username=user.username, email=user.email)
    fresh = await parts.hasher.hash(password, entrance.client.network)
    event = _event(entrance, user_id=user.id)
    async with parts.invalidator.revoking(parts.database, user) as connection:
        await lock_user(connection, user.id)
        if ticket and not await repository.spend_ticket(connection, ticket, now):
            raise OtpInvalid
        if not await repository.set_password(
            connection, account, fresh, asked_at=entrance.asked_at
        ):
            raise OtpInvalid
        await revoke_user(
            connection,
            user.id,
            reason="password_reset",
            event=parts.audit.packed(event),
            now=now,
            until=parts.lives.revoked_until(now),
        )
    return user


async def _tell(parts: Parts, user: User, entrance: Entrance) -> None:
    await parts.notifications.send(user, "password_reset", entrance.client)
    await parts.publisher.publish_pending_of_user(user.id)


async def _find(parts: Parts, named: Named) -> Account | None:
    async with parts.database.connection() as connection:
        now = parts.clock.now()
        return (await find_claimants(connection, named.kind, named.name, now)).active


async def _proven(parts: Parts, proof: Proof) -> Account:
    """Return the account that the code was sent to, while it is what it was then."""
    async with parts.database.connection() as connection:
        account = await find_account(connection, UUID(proof.context["user_id"]))
    reached = _reach(account.user) if account else []
    if account is None or proof.context not in [_bound(account, to) for to in reached]:
        raise OtpInvalid
    return account


def _errand(named: Named, account: Account) -> Errand:
    """Send to the address that was named; for a username to the mail address, if it is verified."""
    reached = _reach(account.user)
    to = named.destination if named.destination in reached else reached[0]
    context = _bound(account, to)
    return Errand(context, template="reset", to=None if to == named.destination else to)


def _reach(user: User) -> list[Destination]:
    """Return the addresses at which an active user is known to be."""
    return user.destinations("email", "sms") if user.active else []


def _bound(account: Account, to: Destination) -> dict[str, str]:
    """Return what a code is bound to: whatever changes one of these kills it."""
    return {
        "user_id": str(account.user.id),
        "generation": str(account.user.generation),
        "password": fingerprint(account.password or "").hex(),
        "to": to.address,
    }


def _event(entrance: Entrance, *, user_id: UUID | None = None, to: str | None = None) -> Event:
    details = {"to": mask(to)} if to else {}
    return Event("password.reset", entrance.origin, user_id, details=details)
