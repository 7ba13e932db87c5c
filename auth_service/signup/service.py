"""The combined flow: whoever proves a phone number is signed in, known before or not."""

from dataclasses import replace

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, Errand
from auth_service.parts import Parts
from auth_service.rate_limit.errors import LimitReached, ProofRequired
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import Entrance
from auth_service.session.sign_in.model import Holder, Opening
from auth_service.user.repository import find_claimants, is_held
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

    async def send(*, held: bool) -> Challenge:
        return await parts.challenges.send(
            "signup",
            number,
            client,
            Errand({"name": name}),
            held=held,
            quiet=parts.conceals,
        )

    # where nobody may tell who is held, it is asked of everybody: a second look takes its time
    held = parts.conceals and await is_held(parts.database, number.address)
    try:
        return await send(held=held)
    except (LimitReached, ProofRequired) as refused:
        for_newcomers = isinstance(refused, ProofRequired) or refused.refuses == "newcomers"
        if held or not for_newcomers or not await is_held(parts.database, number.address):
            raise
    return await send(held=True)


async def enter(
    parts: Parts, number: Destination, code: str, handle: str | None, entrance: Entrance
) -> Opening:
    """Sign in whoever sends the right code, as a new user when nobody holds the number.

    When the sign-in cannot be stored, the code stays good. A user who was not seen with this
    device before is told of it.

    Raises:
        OtpInvalid: the code is wrong, spent or expired.
        RateLimited: too many wrong codes.
        AccountDisabled: the number's holder may not be signed in.
    """
    async with parts.audit.refusals(entrance.event(to=mask(number.address))):
        proof = await parts.challenges.prove("signup", number, code, handle, entrance.client)
        async with parts.challenges.spending(proof):
            new = new_id(parts.clock, parts.entropy)
            holder = Holder(number.address, new, proof.context["name"])
            entrance = replace(entrance, asked_at=proof.asked_at)
            opening = await _open(parts, holder, entrance)
    await parts.opener.greet(opening, entrance)
    return opening


async def _open(parts: Parts, holder: Holder, entrance: Entrance) -> Opening:
    """Store the sign-in; again where somebody else made or moved the holder at the same moment."""
    found = None
    async with parts.database.connection() as connection:
        for _ in range(3):
            opening = await parts.opener.open_in(connection, holder, entrance)
            if opening:
                return opening
            now = parts.clock.now()
            found = (await find_claimants(connection, "sms", holder.phone_number, now)).holder
            if found and not found.user.active:
                raise AccountDisabled
    if found:  # who was signed out everywhere since the code was asked for
        raise OtpInvalid
    raise ServiceUnavailable
