"""Signing in with an account that exists."""

from dataclasses import replace

import structlog

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import constant_time
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import NOTHING, Challenge, Errand
from auth_service.parts import Parts
from auth_service.password.errors import InvalidCredentials
from auth_service.password.repository import replace_hash
from auth_service.rate_limit.model import login_scopes
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import Entrance, SignedIn
from auth_service.user.errors import AccountNotVerified, UserNotRegistered
from auth_service.user.model import Account, Claimants
from auth_service.user.repository import Name, find_account, find_claimants
from shared.errors import DomainError, ServiceUnavailable
from shared.logs import mask

log = structlog.get_logger()


async def ask(parts: Parts, destination: Destination, client: Client) -> Challenge:
    """Send a code to the account that has the address.

    Where accounts are concealed, an address without one gets a challenge that nothing proves.

    Raises:
        UserNotRegistered, AccountNotVerified: there is no such account, and that may be told.
        RateLimited: too many codes.
    """
    async with parts.concealing():
        found = await _find(parts, destination.channel, destination.address)
        account = found.active if parts.conceals else found.holder
        if account is None and not parts.conceals:
            raise AccountNotVerified if found.pending else UserNotRegistered
        return await parts.challenges.send(
            "login",
            destination,
            client,
            Errand(bound(account)) if account else NOTHING,
            held=account is not None,
            quiet=parts.conceals,
        )


async def enter_by_code(
    parts: Parts, destination: Destination, code: str, handle: str | None, entrance: Entrance
) -> SignedIn:
    """Sign in whoever sends the right code; when that cannot be stored, the code stays good.

    Raises:
        OtpInvalid: the code is wrong, spent or expired, or the account is not any more what it was
            when the code was sent.
        RateLimited: too many wrong codes.
        AccountDisabled: the account may not be signed in.
    """
    async with parts.audit.refusals(entrance.event(to=mask(destination.address))):
        proof = await parts.challenges.prove("login", destination, code, handle, entrance.client)
        async with parts.challenges.spending(proof):
            account = (await _find(parts, destination.channel, destination.address)).holder
            if account is None or bound(account) != proof.context:
                raise OtpInvalid
            if not account.user.active:
                raise AccountDisabled
            entrance = replace(entrance, asked_at=proof.asked_at)
            signed_in = await parts.opener.open(account, entrance)
        if signed_in is None:
            raise OtpInvalid
    return signed_in


async def enter_by_password(
    parts: Parts, kind: Name, name: str, password: str, entrance: Entrance
) -> SignedIn:
    """Sign in whoever knows the password; it takes as long for a name that nobody has.

    Raises:
        InvalidCredentials: they do not, or must not be told why they cannot get in.
        AccountNotVerified, AccountDisabled: they do, and cannot get in.
        RateLimited: too many wrong passwords for that name from that client.
        ServiceUnavailable: too many passwords are being checked; nothing was counted.
    """
    client = entrance.client
    shown = f"@{name.lower()}" if kind == "username" else name
    known = await parts.devices.knows(shown, client.device)
    scopes = login_scopes(parts.settings, f"{kind}:{name.lower()}", client, known=known)
    async with parts.throttle.guess(scopes) as forgive:
        async with constant_time(parts.hasher.floor) as floor:
            found = await _find(parts, kind, name)
            account = found.holder or found.pending
            right = await parts.hasher.verify(
                password,
                account.password if account else None,
                client.network,
                after_wait=floor.restart,
            )
        signed_in = None
        if right and account and account.user.active:
            account, signed_in = await _open(parts, account, password, entrance)
    user_id = account.user.id if account else None
    async with parts.audit.refusals(entrance.event(user_id=user_id, to=mask(name))):
        if not right or account is None:
            raise InvalidCredentials
        if not account.user.active:
            raise _kept_out(parts, account)
        if signed_in is None:
            raise InvalidCredentials
    await forgive()
    await _rehash(parts, account, password, client)
    return signed_in


def bound(account: Account) -> dict[str, str]:
    """Return what a code is bound to: cutting the account's tokens off kills it too."""
    return {"user_id": str(account.user.id), "generation": str(account.user.generation)}


async def _find(parts: Parts, kind: Name, name: str) -> Claimants:
    async with parts.database.connection() as connection:
        return await find_claimants(connection, kind, name, parts.clock.now())


async def _open(
    parts: Parts, account: Account, password: str, entrance: Entrance
) -> tuple[Account, SignedIn | None]:
    """Sign in who knew the password a moment ago, and return the account as it was then.

    Another sign-in may have replaced the hash since: it is the account as it is now that counts.
    """
    signed_in = await parts.opener.open(account, entrance)
    if signed_in is not None:
        return account, signed_in
    async with parts.database.connection() as connection:
        fresh = await find_account(connection, account.user.id)
    network = entrance.client.network
    if fresh is None or not await parts.hasher.verify(password, fresh.password, network):
        return account, None
    return fresh, await parts.opener.open(fresh, entrance)


def _kept_out(parts: Parts, account: Account) -> DomainError:
    # Whoever has registered a name knows its password: the reason would tell whether the name
    # is somebody else's.
    if parts.conceals:
        return InvalidCredentials()
    return AccountNotVerified() if account.user.status == "pending" else AccountDisabled()


async def _rehash(parts: Parts, account: Account, password: str, client: Client) -> None:
    """Replace a hash that was made with other parameters; at another sign-in, if not now."""
    if account.password is None or not parts.hasher.outdated(account.password):
        return
    try:
        fresh = await parts.hasher.hash(password, client.network)
        await replace_hash(parts.database, account, fresh)
    except ServiceUnavailable:
        log.warning("password.rehash_deferred", user_id=str(account.user.id))
