"""Registering, proving the address, asking for the code again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from auth_service.audit.model import Event, Origin
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.opaque_tokens import hash_token
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage, VerifiedChallenge
from auth_service.parts import Parts
from auth_service.rate_limit.model import login_scopes
from auth_service.registration import repository
from auth_service.registration.errors import AlreadyRegistered
from auth_service.registration.model import (
    RegistrationRequest,
    SelectedRegistration,
    TakenIdentifiers,
    select_registration,
)
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.session.sign_in.model import SignInResult
from auth_service.user.errors import UserNotRegistered
from auth_service.user.model import Account
from auth_service.user.repository import look_up_account
from auth_service.user.reserved_usernames import require_not_reserved
from shared.db import Connection
from shared.entropy import new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask

RESENT = "resent"
RegistrationSelector = Callable[[Sequence[UUID]], SelectedRegistration | None]
"""Picks what a proof activates among the open registrations, the newest first."""
NOTIFY_OWNER = ChallengeMessage({}, template="already_registered", has_valid_code=False)


async def register(
    parts: Parts, claim: RegistrationRequest, client: Client
) -> tuple[Challenge, UUID]:
    """Keep the claim and send its code; return the challenge and the registration's id.

    Where accounts are concealed, a number or address that has one gets a message that says so,
    and a challenge that nothing proves.

    Raises:
        ValidationFailed: the password is not taken, or the username is reserved.
        AlreadyRegistered: a verified account has one of the claims, and accounts may be told of.
        RateLimited: too many codes.
    """
    if claim.username is not None:
        require_not_reserved(claim.username, parts.settings.reserved_usernames)
    password = await _hash_password(parts, claim, client)
    user_id = new_id(parts.clock, parts.entropy)
    async with parts.concealing():
        challenge = await _send(parts, claim, user_id, client)
    origin = Origin(client.address, client.user_agent, client.request_id)
    details = {"to": mask(claim.destination.address)}
    async with parts.database.transaction() as connection:
        now = parts.clock.now()
        await repository.insert_registration(connection, user_id, claim, password, now)
        await repository.add_handle(connection, hash_token(challenge.handle), user_id, now)
        event = Event("user.registered", origin, user_id, details=details)
        await parts.audit.append_in(connection, event)
    return challenge, user_id


async def _send(
    parts: Parts, claim: RegistrationRequest, user_id: UUID, client: Client
) -> Challenge:
    async with parts.database.connection() as connection:
        taken = await repository.find_taken_identifiers(connection, claim)
    if not parts.conceals:
        _require_not_taken(taken)
    has_verified_owner = taken.mobile if claim.mobile else taken.email
    return await parts.challenges.send(
        "verify",
        claim.destination,
        client,
        NOTIFY_OWNER
        if has_verified_owner
        else ChallengeMessage({"user_id": str(user_id)}, template="activate"),
        has_verified_owner=has_verified_owner,
        conceal=parts.conceals,
    )


async def _hash_password(parts: Parts, claim: RegistrationRequest, client: Client) -> str | None:
    if claim.password is None:
        return None
    parts.policy.require(
        claim.password, field="password", username=claim.username, email=claim.email
    )
    # Hashing is dear: what a client may have hashed is what it may have verified.
    _, per_client = login_scopes(parts.settings, "", client)
    async with parts.rate_limiter.attempt([per_client]):
        return await parts.hasher.hash(claim.password, client.network)


def _require_not_taken(taken: TakenIdentifiers) -> None:
    if taken.mobile or taken.email:
        raise AlreadyRegistered
    if taken.username:
        raise AlreadyRegistered("The username is taken")


async def resend(
    parts: Parts, destination: Destination, handle: str | None, client: Client
) -> Challenge:
    """Send another activation code.

    `handle`: of a code that was sent for the registration, which the new one is then sent for
    too. Without, its proof says of no registration that it is the one.

    Raises:
        UserNotRegistered: no registration waits there, and that may be told.
        RateLimited: too many codes.
    """
    async with parts.concealing():
        async with parts.database.connection() as connection:
            now = parts.clock.now()
            is_open = await repository.has_open_registration(connection, destination, now)
            shown = hash_token(handle) if handle else b""
            meant = await repository.find_by_handle(connection, destination, shown, now)
        if not is_open and not parts.conceals:
            raise UserNotRegistered
        context = {"user_id": str(meant), RESENT: "yes"} if meant else {}
        challenge = await parts.challenges.send(
            "verify",
            destination,
            client,
            ChallengeMessage(context, template="activate") if is_open else DECOY,
            conceal=parts.conceals,
        )
        if meant:
            async with parts.database.connection() as connection:
                await repository.add_handle(connection, hash_token(challenge.handle), meant, now)
        return challenge


async def verify(
    parts: Parts, destination: Destination, code: str, handle: str | None, context: SignInContext
) -> SignedInUser:
    """Activate the registration whose code this is, and sign its user in.

    When the account cannot be stored, the code stays good.

    Raises:
        OtpInvalid: the code is wrong, spent or expired, or the registration is gone.
        RateLimited: too many wrong codes.
        AccountDisabled: the address is an account's already, which may not be signed in.
    """
    event = context.event(to=mask(destination.address))
    async with parts.audit.record_refusals(event):
        proof = await parts.challenges.verify("verify", destination, code, handle, context.client)
        async with parts.challenges.restore_on_failure(proof):
            choose_one = partial(_select, proof, by_handle=bool(handle))
            context = replace(context, code_requested_at=proof.requested_at)
            result = await _activate_and_sign_in(parts, destination, choose_one, context)
    await parts.opener.complete_sign_in(result, context)
    return result.signed_in


def _select(
    proof: VerifiedChallenge, fresh: Sequence[UUID], *, by_handle: bool
) -> SelectedRegistration | None:
    named = proof.context.get("user_id")
    if RESENT in proof.context and not by_handle:
        named = None  # who asked for it, and who received it, may be two
    return select_registration(fresh, UUID(named) if named else None, by_handle=by_handle)


async def _activate_and_sign_in(
    parts: Parts, destination: Destination, choose_one: RegistrationSelector, context: SignInContext
) -> SignInResult:
    async with parts.database.transaction() as connection:
        account, is_new = await _activate(parts, connection, destination, choose_one, context)
        result = await parts.opener.create_session(connection, account, context)
        if result is None:
            raise OtpInvalid if account.user.active else AccountDisabled
    return replace(result, is_new=is_new)


async def _activate(
    parts: Parts,
    connection: Connection,
    destination: Destination,
    choose_one: RegistrationSelector,
    context: SignInContext,
) -> tuple[Account, bool]:
    """Return the account that has the address, and whether it was a registration until now."""
    now = parts.clock.now()
    for _ in range(3):  # somebody else may activate the address, or the username, at this moment
        fresh = await repository.lock_open_registrations(connection, destination, now)
        found = await look_up_account(connection, destination.channel, destination.address, now)
        if found.owner:
            return found.owner, False
        choice = choose_one(fresh)
        if choice is None:
            raise OtpInvalid
        account = await repository.activate(
            connection, destination, choice, conceals=parts.conceals
        )
        if account:
            await repository.remove_registrations(connection, fresh)
            event = Event("user.activated", context.origin, account.user.id)
            await parts.audit.append_in(connection, event)
            return account, True
    raise ServiceUnavailable
