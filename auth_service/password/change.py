"""Changing a password that is known."""

from uuid import UUID

from auth_service.audit.model import Event
from auth_service.client import Client
from auth_service.parts import Parts
from auth_service.password import repository
from auth_service.password.errors import WrongPassword
from auth_service.rate_limit.model import own_password_scopes
from auth_service.session.model import Caller, SignInContext
from auth_service.session.repository import lock_user, revoke_other_sessions
from auth_service.user.model import Account
from auth_service.user.repository import find_account


async def replace_password(
    parts: Parts, caller: Caller, current: str, password: str, context: SignInContext
) -> None:
    """Set another password; every session of the user but the caller's ends.

    Raises:
        ValidationFailed: the new password is refused.
        WrongPassword: the current one is not theirs, or has just been replaced.
        RateLimited: too many wrong ones from this client.
        RevocationPending: it is set, but other services may not know of the signing out yet.
    """
    user = caller.user
    parts.policy.require(password, field="new_password", username=user.username, email=user.email)
    event = Event("password.changed", context.origin, user.id, session_id=caller.session_id)
    scopes = own_password_scopes(parts.settings, caller.session_id)
    async with parts.rate_limiter.attempt(scopes) as refund:
        account = await _find_if_password_matches(parts, user.id, current, context.client)
        fresh = await parts.hasher.hash(password, context.client.network) if account else ""
    async with parts.audit.record_refusals(event):
        if account is None:
            raise WrongPassword
        await _store_new_password(parts, caller, account, fresh, event)
    await refund()
    await parts.notifications.send(user, "password_changed", context.client)
    await parts.publisher.publish_pending_of_user(user.id)


async def _find_if_password_matches(
    parts: Parts, user_id: UUID, password: str, client: Client
) -> Account | None:
    """Return the user's account, None when that is not its password or it is gone."""
    async with parts.database.connection() as connection:
        account = await find_account(connection, user_id)
    stored = account.password if account else None
    right = await parts.hasher.verify(password, stored, client.network)
    return account if right else None


async def _store_new_password(
    parts: Parts, caller: Caller, account: Account, fresh: str, event: Event
) -> None:
    """Store the hash, and end the user's other sessions.

    Raises:
        WrongPassword: another password was stored since this one was verified.
    """
    now, user_id = parts.clock.now(), caller.user.id
    async with parts.invalidator.revocation_transaction(
        parts.database, caller.user, keep=caller.device_id
    ) as connection:
        await lock_user(connection, user_id)
        if not await repository.set_password(connection, account, fresh):
            raise WrongPassword
        await repository.remove_tickets(connection, user_id)
        await revoke_other_sessions(
            connection,
            user_id,
            caller.session_id,
            reason="password_changed",
            event=parts.audit.to_json(event),
            now=now,
            until=parts.lives.revocation_expiry(now),
        )
