"""Signing in with an account that exists."""

from dataclasses import replace

import structlog

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import minimum_duration
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage
from auth_service.parts import Parts
from auth_service.password.errors import InvalidCredentials
from auth_service.password.repository import replace_hash
from auth_service.rate_limit.model import login_scopes
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.user.errors import AccountNotVerified, UserNotRegistered
from auth_service.user.model import Account, AccountLookup
from auth_service.user.repository import Name, find_account, look_up_account
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
        account = found.active if parts.conceals else found.owner
        if account is None and not parts.conceals:
            raise AccountNotVerified if found.pending else UserNotRegistered
        return await parts.challenges.send(
            "login",
            destination,
            client,
            ChallengeMessage(challenge_context(account)) if account else DECOY,
            has_verified_owner=account is not None,
            conceal=parts.conceals,
        )


async def enter_by_code(
    parts: Parts, destination: Destination, code: str, handle: str | None, context: SignInContext
) -> SignedInUser:
    """Sign in whoever sends the right code; when that cannot be stored, the code stays good.

    Raises:
        OtpInvalid: the code is wrong, spent or expired, or the account is not any more what it was
            when the code was sent.
        RateLimited: too many wrong codes.
        AccountDisabled: the account may not be signed in.
    """
    async with parts.audit.record_refusals(context.event(to=mask(destination.address))):
        verified = await parts.challenges.verify("login", destination, code, handle, context.client)
        async with parts.challenges.restore_on_failure(verified):
            account = (await _find(parts, destination.channel, destination.address)).owner
            if account is None or challenge_context(account) != verified.context:
                raise OtpInvalid
            if not account.user.active:
                raise AccountDisabled
            context = replace(context, code_requested_at=verified.requested_at)
            signed_in = await parts.opener.open(account, context)
        if signed_in is None:
            raise OtpInvalid
    return signed_in


async def enter_by_password(
    parts: Parts, kind: Name, name: str, password: str, context: SignInContext
) -> SignedInUser:
    """Sign in whoever knows the password; it takes as long for a name that nobody has.

    Raises:
        InvalidCredentials: they do not, or must not be told why they cannot get in.
        AccountNotVerified, AccountDisabled: they do, and cannot get in.
        RateLimited: too many wrong passwords for that name from that client.
        ServiceUnavailable: too many passwords are being checked; nothing was counted.
    """
    client = context.client
    shown = f"@{name.lower()}" if kind == "username" else name
    is_known_device = await parts.devices.is_known(shown, client.device)
    scopes = login_scopes(
        parts.settings, f"{kind}:{name.lower()}", client, is_known_device=is_known_device
    )
    async with parts.rate_limiter.attempt(scopes) as refund:
        async with minimum_duration(parts.hasher.minimum_seconds) as minimum:
            found = await _find(parts, kind, name)
            account = found.owner or found.pending
            right = await parts.hasher.verify(
                password,
                account.password if account else None,
                client.network,
                after_wait=minimum.restart,
            )
        signed_in = None
        if right and account and account.user.active:
            account, signed_in = await _open(parts, account, password, context)
    user_id = account.user.id if account else None
    async with parts.audit.record_refusals(context.event(user_id=user_id, to=mask(name))):
        if not right or account is None:
            raise InvalidCredentials
        if not account.user.active:
            raise _refusal(parts, account)
        if signed_in is None:
            raise InvalidCredentials
    await refund()
    await _rehash(parts, account, password, client)
    return signed_in


def challenge_context(account: Account) -> dict[str, str]:
    """Return what a code is bound to: cutting the account's tokens off kills it too."""
    return {"user_id": str(account.user.id), "generation": str(account.user.generation)}


async def _find(parts: Parts, kind: Name, name: str) -> AccountLookup:
    async with parts.database.connection() as connection:
        return await look_up_account(connection, kind, name, parts.clock.now())


async def _open(
    parts: Parts, account: Account, password: str, context: SignInContext
) -> tuple[Account, SignedInUser | None]:
    """Sign in who knew the password a moment ago, and return the account as it was then.

    Another sign-in may have replaced the hash since: it is the account as it is now that counts.
    """
    signed_in = await parts.opener.open(account, context)
    if signed_in is not None:
        return account, signed_in
    async with parts.database.connection() as connection:
        fresh = await find_account(connection, account.user.id)
    network = context.client.network
    if fresh is None or not await parts.hasher.verify(password, fresh.password, network):
        return account, None
    return fresh, await parts.opener.open(fresh, context)


def _refusal(parts: Parts, account: Account) -> DomainError:
    # Whoever has registered a name knows its password: the reason would tell whether the name
    # is somebody else's.
    if parts.conceals:
        return InvalidCredentials()
    return AccountNotVerified() if account.user.status == "pending" else AccountDisabled()


async def _rehash(parts: Parts, account: Account, password: str, client: Client) -> None:
    """Replace a hash that was made with other parameters; at another sign-in, if not now."""
    if account.password is None or not parts.hasher.needs_rehash(account.password):
        return
    try:
        fresh = await parts.hasher.hash(password, client.network)
        await replace_hash(parts.database, account, fresh)
    except ServiceUnavailable:
        log.warning("password.rehash_deferred", user_id=str(account.user.id))
