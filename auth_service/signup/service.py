"""The combined flow: whoever proves a phone number is signed in, known before or not."""

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import Audit
from auth_service.delivery.notices import Notices
from auth_service.destination import Destination
from auth_service.opaque import SECRET_BYTES, fingerprint, wrap
from auth_service.otp.model import Challenge, Errand, Proof
from auth_service.otp.service import Address, Challenges, LimitReached
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import Device, Lives, SignedIn
from auth_service.signup import repository
from auth_service.signup.repository import Entered, Entry
from auth_service.user.model import User
from auth_service.user.repository import is_held
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask

AMR = ("otp", "sms")
"""How the user was authenticated. Source: RFC 8176 §2."""


async def ask(
    challenges: Challenges,
    database: Database,
    *,
    phone_number: Destination,
    name: str,
    client: Address,
    request_id: str,
    quiet: bool,
) -> Challenge:
    """Send a code to the number; `name` is kept with it for a user who is new.

    `quiet`: whoever is new and gets no code for the traffic of others is not told so.

    Raises:
        LimitReached: too many codes. Limits that other people's traffic fills refuse no
            number that a verified user holds.
    """

    async def send(*, held: bool) -> Challenge:
        return await challenges.send(
            "signup",
            phone_number,
            client,
            Errand({"name": name}),
            request_id=request_id,
            held=held,
            quiet=quiet,
        )

    # where nobody may tell who is held, it is asked of everybody: a second look takes its time
    held = quiet and await is_held(database, phone_number.address)
    try:
        return await send(held=held)
    except LimitReached as full:
        if full.scope.refuses != "newcomers" or not await is_held(database, phone_number.address):
            raise
    return await send(held=True)


async def enter(
    challenges: Challenges,
    database: Database,
    notices: Notices,
    audit: Audit,
    lives: Lives,
    *,
    phone_number: Destination,
    code: str,
    handle: str | None,
    device: Device,
    request_id: str,
    clock: Clock,
    entropy: Entropy,
) -> tuple[SignedIn, bool]:
    """Sign in whoever sends the right code; tells whether the user is new.

    When the sign-in cannot be stored, the code stays good. A user who was not seen with this
    device before is told of it.

    Raises:
        OtpInvalid: the code is wrong, spent or expired.
        RateLimited: too many wrong codes.
        AccountDisabled: the number's holder may not be signed in.
    """
    origin = Origin(device.address, device.user_agent, request_id)
    details = {"method": "otp", "to": mask(phone_number.address)}
    event = Event("user.signed_in", origin, details=details)
    async with audit.refusals(event):
        proof = await challenges.prove("signup", phone_number, code, handle, device.address)
    token = wrap("chr_", entropy.bytes(SECRET_BYTES))
    now = clock.now()
    session_ends = now + lives.absolute
    entry = Entry(
        phone_number=phone_number.address,
        new_user_id=new_id(clock, entropy),
        name=proof.context["name"],
        session_id=new_id(clock, entropy),
        device=device,
        amr=AMR,
        refresh_hash=fingerprint(token),
        now=now,
        session_ends=session_ends,
        refresh_ends=lives.refresh_until(session_ends, now),
        event=audit.packed(event),
    )
    async with audit.refusals(event):
        entered = await _store(challenges, database, entry, proof)
    if not (entered.is_new or entered.known_device):
        await _tell_of_new_device(notices, entered.user, entry, request_id)
    return SignedIn(entered.user, entered.session, token, entry.refresh_ends), entered.is_new


async def _store(challenges: Challenges, database: Database, entry: Entry, proof: Proof) -> Entered:
    try:
        return await _sign_in(database, entry)
    except AccountDisabled:
        raise
    except Exception:
        await challenges.give_back(proof)
        raise


async def _sign_in(database: Database, entry: Entry) -> Entered:
    """Store the sign-in; once more where somebody else created the holder at the same moment."""
    stored = await repository.sign_in(database, entry)
    if stored is None and await repository.is_disabled(database, entry.phone_number):
        raise AccountDisabled
    stored = stored or await repository.sign_in(database, entry)
    if stored is None:
        raise ServiceUnavailable
    return stored


async def _tell_of_new_device(notices: Notices, user: User, entry: Entry, request_id: str) -> None:
    parameters = {
        "time": f"{entry.now:%Y-%m-%d %H:%M} UTC",
        "address": str(entry.device.address),
        "device": entry.device.user_agent or "unknown",
    }
    await notices.tell(user, "new_sign_in", parameters, request_id=request_id)
