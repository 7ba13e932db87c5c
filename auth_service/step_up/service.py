"""Proving again who one is: by a code, or by the password."""

from uuid import UUID

from auth_service.audit.model import Event
from auth_service.destination import Channel
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, Errand
from auth_service.parts import Parts
from auth_service.password.errors import WrongPassword
from auth_service.rate_limit.model import own_password_scopes
from auth_service.session.model import BY_CODE, BY_PASSWORD, Caller, Entrance, Session
from auth_service.step_up import repository
from auth_service.user.model import Account
from auth_service.user.repository import find_account
from shared.errors import TokenRevoked

ASKED_AT: tuple[Channel, ...] = ("sms", "email")


async def ask(parts: Parts, caller: Caller, entrance: Entrance) -> Challenge:
    """Send a code to where the user is known to be.

    Raises:
        RateLimited: too many codes.
    """
    to = caller.user.destination(*ASKED_AT)
    if to is None:
        raise TokenRevoked  # what they signed in by was taken from them
    return await parts.challenges.send(
        "step_up",
        to,
        entrance.client,
        Errand(_bound(caller)),
        held=True,
    )


async def by_code(
    parts: Parts, caller: Caller, code: str, handle: str | None, entrance: Entrance
) -> Session:
    """Note that the user has sent the right code; when that cannot be stored, it stays good.

    Raises:
        OtpInvalid: the code is wrong, spent, expired, or was asked for elsewhere.
        RateLimited: too many wrong codes.
        TokenRevoked: the session has ended meanwhile.
    """
    to, event = caller.user.destination(*ASKED_AT), _event(caller, entrance, "otp")
    async with parts.audit.refusals(event):
        if to is None:
            raise OtpInvalid
        proof = await parts.challenges.prove("step_up", to, code, handle, entrance.client)
        async with parts.challenges.spending(proof):
            if proof.context != _bound(caller):
                raise OtpInvalid
            account = await _account(parts, caller.user.id)
            return await _prove(parts, caller, account, BY_CODE[to.channel], event)


async def by_password(parts: Parts, caller: Caller, password: str, entrance: Entrance) -> Session:
    """Note that the user knows the password.

    Raises:
        WrongPassword: they do not, or have none.
        RateLimited: too many wrong ones from this client.
        TokenRevoked: the session has ended meanwhile.
    """
    event = _event(caller, entrance, "password")
    scopes = own_password_scopes(parts.settings, caller.session_id)
    async with parts.throttle.guess(scopes) as forgive:
        account = await _account(parts, caller.user.id)
        right = await parts.hasher.verify(password, account.password, entrance.client.network)
    async with parts.audit.refusals(event):
        if not right:
            raise WrongPassword
        session = await _prove(parts, caller, account, BY_PASSWORD, event)
    await forgive()
    return session


async def _account(parts: Parts, user_id: UUID) -> Account:
    async with parts.database.connection() as connection:
        account = await find_account(connection, user_id)
    if account is None:
        raise TokenRevoked
    return account


async def _prove(
    parts: Parts, caller: Caller, account: Account, amr: tuple[str, ...], event: Event
) -> Session:
    packed, now = parts.audit.packed(event), parts.clock.now()
    session = await repository.prove(parts.database, caller, account, amr, now=now, event=packed)
    if session is None:
        raise TokenRevoked
    return session


def _bound(caller: Caller) -> dict[str, str]:
    user = caller.user
    bound = {"user_id": user.id, "session_id": caller.session_id, "generation": user.generation}
    return {name: str(value) for name, value in bound.items()}


def _event(caller: Caller, entrance: Entrance, method: str) -> Event:
    return Event(
        "user.stepped_up",
        entrance.origin,
        caller.user.id,
        session_id=caller.session_id,
        details={"method": method},
    )
