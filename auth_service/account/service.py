"""What users do with their own account."""

from collections.abc import Mapping

from auth_service.account import repository
from auth_service.account.model import WHAT, Moved
from auth_service.audit.model import Event, EventName
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, Errand, Proof
from auth_service.parts import Parts
from auth_service.revocation.model import DELETED_LIFE
from auth_service.session.model import Caller, Entrance
from auth_service.step_up.model import require_fresh
from auth_service.user.model import User
from auth_service.user.repository import find_claimants
from auth_service.user.reserved_usernames import refuse_reserved
from shared.errors import Conflict, FieldError, ValidationFailed
from shared.logs import mask


async def change_profile(
    parts: Parts, caller: Caller, changes: Mapping[str, str | None], entrance: Entrance
) -> User:
    """Store other names.

    Raises:
        StepUpRequired: the username is another one, and they were proven too long ago.
        ValidationFailed: the username is reserved; one who has it keeps it.
        Conflict: somebody else has the username.
    """
    _require_may_rename(parts, caller, changes.get("username"))
    event = _event("profile.changed", caller, entrance, fields=" ".join(sorted(changes)))
    async with parts.database.connection() as connection:
        user = await repository.change_profile(
            connection, caller.user.id, changes, event=parts.audit.packed(event)
        )
    if user is None:
        raise Conflict("The username is taken")
    renamed = {*caller.user.challenged} ^ {*user.challenged}
    if renamed:
        await parts.invalidator.end_names(renamed)
    return user


def _require_may_rename(parts: Parts, caller: Caller, username: str | None) -> None:
    before = caller.user.username
    if username is None or username == before:
        return
    require_fresh(caller, parts.clock.now())
    if before is None or username.lower() != before.lower():
        refuse_reserved(username, parts.settings.reserved_usernames)


async def ask(parts: Parts, caller: Caller, to: Destination, entrance: Entrance) -> Challenge:
    """Send a code to a new address; it is theirs once the code comes back.

    Whether somebody else has it is not said: only who proves the address is told.

    Raises:
        StepUpRequired: they were proven too long ago.
        ValidationFailed: the address is theirs already.
        RateLimited: too many codes.
    """
    now = parts.clock.now()
    require_fresh(caller, now)
    if caller.user.destination(to.channel) == to:
        field = "mobile" if to.channel == "sms" else "email"
        raise ValidationFailed([FieldError(field, "unchanged", "it is yours already")])
    async with parts.concealing():
        async with parts.database.connection() as connection:
            holder = (await find_claimants(connection, to.channel, to.address, now)).holder
        challenge = await parts.challenges.send(
            "change_contact",
            to,
            entrance.client,
            Errand(_bound(caller.user)),
            held=holder is not None,
            quiet=parts.conceals,
        )
    await parts.audit.append(_event("contact.change_asked", caller, entrance, to=mask(to.address)))
    return challenge


async def verify(
    parts: Parts,
    caller: Caller,
    to: Destination,
    *,
    code: str,
    handle: str | None,
    entrance: Entrance,
) -> User:
    """Store the address that the code was sent to, and tell the old one.

    What is on its way to either address is worth nothing any more. When the change cannot be
    stored, the code stays good.

    Raises:
        StepUpRequired: they were proven too long ago.
        OtpInvalid: the code is wrong, spent, expired, or was asked for by somebody else.
        RateLimited: too many wrong codes.
        Conflict: somebody else has the address.
    """
    require_fresh(caller, parts.clock.now())
    event = _event("contact.changed", caller, entrance, to=mask(to.address))
    async with parts.audit.refusals(event):
        proof = await parts.challenges.prove("change_contact", to, code, handle, entrance.client)
        async with parts.challenges.spending(proof):
            moved = await _move(parts, caller, to, proof, event)
    old = moved.before.destination(to.channel, "sms", "email")
    if old is not None:
        await parts.notifications.send(
            moved.user,
            "contact_changed",
            entrance.client,
            to=old,
            what=WHAT[to.channel],
            new=mask(to.address),
        )
    return moved.user


async def _move(parts: Parts, caller: Caller, to: Destination, proof: Proof, event: Event) -> Moved:
    if proof.context != _bound(caller.user):
        raise OtpInvalid
    async with parts.database.transaction() as connection:
        moved = await repository.move(connection, caller.user, to, event=parts.audit.packed(event))
        if moved is None:
            raise Conflict("The address is another account's")
        old = moved.before.destination(to.channel)
        addresses = [to.address, *([old.address] if old else [])]
        await parts.invalidator.invalidate(addresses)
    await parts.invalidator.end_names(addresses)
    return moved


async def delete(parts: Parts, caller: Caller, entrance: Entrance) -> None:
    """Remove the account, its sessions and tokens; other services remove what they hold.

    Raises:
        StepUpRequired: they were proven too long ago.
        RevocationPending: it is gone, but other services may not know yet.
    """
    user, now = caller.user, parts.clock.now()
    require_fresh(caller, now)
    event = _event("user.deleted", caller, entrance)
    async with parts.invalidator.revoking(parts.database, user) as connection:
        await repository.delete(
            connection,
            user.id,
            event=parts.audit.packed(event),
            now=now,
            until=now + DELETED_LIFE,
        )
    await parts.publisher.publish_pending_of_user(user.id)


def _bound(user: User) -> dict[str, str]:
    return {"user_id": str(user.id), "generation": str(user.generation)}


def _event(name: EventName, caller: Caller, entrance: Entrance, **details: str) -> Event:
    return Event(
        name, entrance.origin, caller.user.id, session_id=caller.session_id, details=details
    )
