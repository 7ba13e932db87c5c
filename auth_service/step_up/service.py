"""Proving again who one is: by a code, or by the password."""

from uuid import UUID

from auth_service.audit.model import Event
from auth_service.destination import Channel
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage
from auth_service.parts import Parts
from auth_service.password.errors import WrongPassword
from auth_service.rate_limit.model import own_password_scopes
from auth_service.session.model import BY_CODE, BY_PASSWORD, Caller, Session, SignInContext
from auth_service.step_up import repository
from auth_service.user.model import Account
from auth_service.user.repository import find_account
from shared.errors import TokenRevoked

CODE_CHANNELS: tuple[Channel, ...] = ("sms", "email")


async def ask(parts: Parts, caller: Caller, context: SignInContext) -> Challenge:
    """Send a code to where the user is known to be.

    Raises:
        RateLimited: too many codes.
    """
    to = caller.user.destination(*CODE_CHANNELS)
    if to is None:
        raise TokenRevoked  # what they signed in by was taken from them
    return await parts.challenges.send(
        "step_up",
        to,
        context.client,
        ChallengeMessage(_challenge_context(caller)),
        has_verified_owner=True,
    )


async def by_code(
    parts: Parts, caller: Caller, code: str, handle: str | None, context: SignInContext
) -> Session:
    """Note that the user has sent the right code; when that cannot be stored, it stays good.

    Raises:
        OtpInvalid: the code is wrong, spent, expired, or was asked for elsewhere.
        RateLimited: too many wrong codes.
        TokenRevoked: the session has ended meanwhile.
    """
    to, event = caller.user.destination(*CODE_CHANNELS), _event(caller, context, "otp")
    async with parts.audit.record_refusals(event):
        if to is None:
            raise OtpInvalid
        proof = await parts.challenges.verify("step_up", to, code, handle, context.client)
        async with parts.challenges.restore_on_failure(proof):
            if proof.context != _challenge_context(caller):
                raise OtpInvalid
            account = await _account(parts, caller.user.id)
            return await _record_authentication(parts, caller, account, BY_CODE[to.channel], event)


async def by_password(
    parts: Parts, caller: Caller, password: str, context: SignInContext
) -> Session:
    """Note that the user knows the password.

    Raises:
        WrongPassword: they do not, or have none.
        RateLimited: too many wrong ones from this client.
        TokenRevoked: the session has ended meanwhile.
    """
    event = _event(caller, context, "password")
    scopes = own_password_scopes(parts.settings, caller.session_id)
    async with parts.rate_limiter.attempt(scopes) as refund:
        account = await _account(parts, caller.user.id)
        right = await parts.hasher.verify(password, account.password, context.client.network)
    async with parts.audit.record_refusals(event):
        if not right:
            raise WrongPassword
        session = await _record_authentication(parts, caller, account, BY_PASSWORD, event)
    await refund()
    return session


async def _account(parts: Parts, user_id: UUID) -> Account:
    async with parts.database.connection() as connection:
        account = await find_account(connection, user_id)
    if account is None:
        raise TokenRevoked
    return account


async def _record_authentication(
    parts: Parts, caller: Caller, account: Account, amr: tuple[str, ...], event: Event
) -> Session:
    packed, now = parts.audit.to_json(event), parts.clock.now()
    session = await repository.record_authentication(
        parts.database, caller, account, amr, now=now, event=packed
    )
    if session is None:
        raise TokenRevoked
    return session


def _challenge_context(caller: Caller) -> dict[str, str]:
    user = caller.user
    bound = {"user_id": user.id, "session_id": caller.session_id, "generation": user.generation}
    return {name: str(value) for name, value in bound.items()}


def _event(caller: Caller, context: SignInContext, method: str) -> Event:
    return Event(
        "user.stepped_up",
        context.origin,
        caller.user.id,
        session_id=caller.session_id,
        details={"method": method},
    )
