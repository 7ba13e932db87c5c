"""What users do with their own account."""

from collections.abc import Mapping

from auth_service.account import repository
from auth_service.account.model import CONTACT_NAMES, ContactChange
from auth_service.audit.model import Event, EventName
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage, VerifiedChallenge
from auth_service.parts import Parts
from auth_service.revocation.model import DELETED_LIFE
from auth_service.session.model import Caller, SignInContext
from auth_service.step_up.model import require_recent_authentication
from auth_service.user.model import User
from auth_service.user.repository import look_up_account
from auth_service.user.reserved_usernames import require_not_reserved
from shared.errors import Conflict, FieldError, ValidationFailed
from shared.logs import mask


async def change_profile(
    parts: Parts, caller: Caller, changes: Mapping[str, str | None], context: SignInContext
) -> User:
    """Store other names.

    Raises:
        StepUpRequired: the username is another one, and they were proven too long ago.
        ValidationFailed: the username is reserved; one who has it keeps it.
        Conflict: somebody else has the username.
    """
    _require_may_rename(parts, caller, changes.get("username"))
    event = _event("profile.changed", caller, context, fields=" ".join(sorted(changes)))
    async with parts.database.connection() as connection:
        user = await repository.change_profile(
            connection, caller.user.id, changes, event=parts.audit.to_json(event)
        )
    if user is None:
        raise Conflict("The username is taken")
    renamed = {*caller.user.code_identifiers} ^ {*user.code_identifiers}
    if renamed:
        await parts.invalidator.invalidate_and_forget_devices(renamed)
    return user


def _require_may_rename(parts: Parts, caller: Caller, username: str | None) -> None:
    before = caller.user.username
    if username is None or username == before:
        return
    require_recent_authentication(caller, parts.clock.now())
    if before is None or username.lower() != before.lower():
        require_not_reserved(username, parts.settings.reserved_usernames)


async def ask(parts: Parts, caller: Caller, to: Destination, context: SignInContext) -> Challenge:
    """Send a code to a new address; it is theirs once the code comes back.

    Whether somebody else has it is not said: only who proves the address is told.

    Raises:
        StepUpRequired: they were proven too long ago.
        ValidationFailed: the address is theirs already.
        RateLimited: too many codes.
    """
    now = parts.clock.now()
    require_recent_authentication(caller, now)
    if caller.user.destination(to.channel) == to:
        field = "mobile" if to.channel == "sms" else "email"
        raise ValidationFailed([FieldError(field, "unchanged", "it is yours already")])
    async with parts.concealing():
        async with parts.database.connection() as connection:
            holder = (await look_up_account(connection, to.channel, to.address, now)).owner
        challenge = await parts.challenges.send(
            "change_contact",
            to,
            context.client,
            ChallengeMessage(_challenge_context(caller.user)),
            has_verified_owner=holder is not None,
            conceal=parts.conceals,
        )
    await parts.audit.append(_event("contact.change_asked", caller, context, to=mask(to.address)))
    return challenge


async def verify(
    parts: Parts,
    caller: Caller,
    to: Destination,
    *,
    code: str,
    handle: str | None,
    context: SignInContext,
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
    require_recent_authentication(caller, parts.clock.now())
    event = _event("contact.changed", caller, context, to=mask(to.address))
    async with parts.audit.record_refusals(event):
        proof = await parts.challenges.verify("change_contact", to, code, handle, context.client)
        async with parts.challenges.restore_on_failure(proof):
            moved = await _change_contact(parts, caller, to, proof, event)
    old = moved.before.destination(to.channel, "sms", "email")
    if old is not None:
        await parts.notifications.send(
            moved.user,
            "contact_changed",
            context.client,
            to=old,
            what=CONTACT_NAMES[to.channel],
            new=mask(to.address),
        )
    return moved.user


async def _change_contact(
    parts: Parts, caller: Caller, to: Destination, proof: VerifiedChallenge, event: Event
) -> ContactChange:
    if proof.context != _challenge_context(caller.user):
        raise OtpInvalid
    async with parts.database.transaction() as connection:
        moved = await repository.change_contact(
            connection, caller.user, to, event=parts.audit.to_json(event)
        )
        if moved is None:
            raise Conflict("The address is another account's")
        old = moved.before.destination(to.channel)
        addresses = [to.address, *([old.address] if old else [])]
        await parts.invalidator.invalidate(addresses)
    await parts.invalidator.invalidate_and_forget_devices(addresses)
    return moved


async def delete(parts: Parts, caller: Caller, context: SignInContext) -> None:
    """Remove the account, its sessions and tokens; other services remove what they hold.

    Raises:
        StepUpRequired: they were proven too long ago.
        RevocationPending: it is gone, but other services may not know yet.
    """
    user, now = caller.user, parts.clock.now()
    require_recent_authentication(caller, now)
    event = _event("user.deleted", caller, context)
    async with parts.invalidator.revocation_transaction(parts.database, user) as connection:
        await repository.delete_user(
            connection,
            user.id,
            event=parts.audit.to_json(event),
            now=now,
            until=now + DELETED_LIFE,
        )
    await parts.publisher.publish_pending_of_user(user.id)


def _challenge_context(user: User) -> dict[str, str]:
    return {"user_id": str(user.id), "generation": str(user.generation)}


def _event(name: EventName, caller: Caller, context: SignInContext, **details: str) -> Event:
    return Event(
        name, context.origin, caller.user.id, session_id=caller.session_id, details=details
    )
