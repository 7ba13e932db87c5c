"""The combined flow: whoever proves a phone number is signed in, known before or not."""

from dataclasses import replace

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage
from auth_service.parts import Parts
from auth_service.rate_limit.errors import LimitReached, ProofRequired
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignInContext
from auth_service.session.sign_in.model import SignInResult, VerifiedContact
from auth_service.user.repository import has_verified_owner, look_up_account
from shared.entropy import new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask


async def ask(parts: Parts, number: Destination, name: str, client: Client) -> Challenge:
    """Send a code to the number; `name` is kept with it for a user who is new.

    Where accounts are concealed, whoever is new and gets no code for the traffic of others is not
    told so.

    Raises:
        LimitReached: too many codes. Limits that other people's traffic fills refuse no
            number that a verified user holds.
    """

    async def send(*, is_owned: bool) -> Challenge:
        return await parts.challenges.send(
            "signup",
            number,
            client,
            ChallengeMessage({"name": name}),
            has_verified_owner=is_owned,
            conceal=parts.conceals,
        )

    # where nobody may tell who is held, it is asked of everybody: a second look takes its time
    is_owned = parts.conceals and await has_verified_owner(parts.database, number.address)
    try:
        return await send(is_owned=is_owned)
    except (LimitReached, ProofRequired) as refused:
        for_newcomers = isinstance(refused, ProofRequired) or refused.applies_to == "new_contacts"
        if (
            is_owned
            or not for_newcomers
            or not await has_verified_owner(parts.database, number.address)
        ):
            raise
    return await send(is_owned=True)


async def enter(
    parts: Parts, number: Destination, code: str, handle: str | None, context: SignInContext
) -> SignInResult:
    """Sign in whoever sends the right code, as a new user when nobody holds the number.

    When the sign-in cannot be stored, the code stays good. A user who was not seen with this
    device before is told of it.

    Raises:
        OtpInvalid: the code is wrong, spent or expired.
        RateLimited: too many wrong codes.
        AccountDisabled: the number's holder may not be signed in.
    """
    async with parts.audit.record_refusals(context.event(to=mask(number.address))):
        proof = await parts.challenges.verify("signup", number, code, handle, context.client)
        async with parts.challenges.restore_on_failure(proof):
            new = new_id(parts.clock, parts.entropy)
            holder = VerifiedContact(number.address, new, proof.context["name"])
            context = replace(context, code_requested_at=proof.requested_at)
            result = await _open(parts, holder, context)
    await parts.opener.complete_sign_in(result, context)
    return result


async def _open(parts: Parts, holder: VerifiedContact, context: SignInContext) -> SignInResult:
    """Store the sign-in; again where somebody else made or moved the holder at the same moment."""
    found = None
    async with parts.database.connection() as connection:
        for _ in range(3):
            result = await parts.opener.create_session(connection, holder, context)
            if result:
                return result
            now = parts.clock.now()
            found = (await look_up_account(connection, "sms", holder.phone_number, now)).owner
            if found and not found.user.active:
                raise AccountDisabled
    if found:  # who was signed out everywhere since the code was asked for
        raise OtpInvalid
    raise ServiceUnavailable
