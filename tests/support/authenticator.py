"""An authenticator app, and the sign-ins of a user who has one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyotp.totp import TOTP

from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.opaque_tokens import encode_token, hash_token
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection


@dataclass(frozen=True)
class Authenticator:
    """An app that shows the codes of one secret."""

    id: str
    secret: str
    clock: MovableClock

    def code(self, offset: int = 0) -> str:
        """The code that is shown now, or so many steps from now."""
        return TOTP(self.secret).at(self.clock.now(), counter_offset=offset)

    def next_code(self) -> str:
        """The code of the next step, half a minute later: none was used."""
        self.clock.advance(seconds=30)
        return self.code()

    def wrong(self) -> str:
        """A code of no step that counts."""
        shown = {self.code(offset) for offset in (-1, 0, 1)}
        return next(code for n in range(10) if (code := f"{n:06d}") not in shown)


async def begin(auth: AuthClient, clock: MovableClock, token: str) -> Authenticator:
    """An app that has read the QR code; it does not count yet."""
    answer = await auth.call("POST", "/me/factors/totp", token=token)
    assert answer.status == 201, answer.body
    return Authenticator(answer.body["id"], answer.body["secret"], clock)


async def confirm(auth: AuthClient, token: str, app: Authenticator, code: str) -> Answer:
    path = f"/me/factors/totp/{app.id}/confirm"
    return await auth.call("POST", path, token=token, json={"otp": code})


async def enrol(auth: AuthClient, clock: MovableClock, token: str) -> Authenticator:
    """A confirmed app; the session's next token has proven it."""
    app = await begin(auth, clock, token)
    confirmed = await confirm(auth, token, app, app.code())
    assert confirmed.status == 200, confirmed.body
    return app


async def verify(auth: AuthClient, ticket: str, code: str, **more: Any) -> Answer:
    """Send the second factor of a sign-in."""
    body = {"mfa_ticket": ticket, "method": "totp", "otp": code, **more}
    return await auth.call("POST", "/mfa/verify", json=body)


async def first_step(auth: AuthClient, number: str, **options: Any) -> Answer:
    """Sign in by a code to the phone; whatever it answers."""
    before = len(await auth.codes(number))
    sent = await auth.request_code(number, **options)
    assert sent.status == 202, sent.body
    code = await auth.code(number, before + 1)
    return await auth.enter_code(number, code, sent.body["challenge"], **options)


async def ask_for_factor(auth: AuthClient, number: str, **options: Any) -> str:
    """Sign in by a code to the phone, as far as the ticket."""
    answer = await first_step(auth, number, **options)
    assert (answer.status, answer.code) == (403, "mfa_required"), answer.body
    return str(answer.body["mfa_ticket"])


async def refresh(auth: AuthClient, pair: dict[str, Any]) -> dict[str, Any]:
    """The session's next token pair."""
    answer = await auth.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})
    assert answer.status == 200, answer.body
    renewed: dict[str, Any] = answer.body
    return renewed


async def user_with_app(auth: AuthClient, clock: MovableClock, number: str) -> Authenticator:
    return await enrol(auth, clock, (await auth.sign_in(number))["access_token"])


async def insert_tickets(db: Connection, count: int) -> list[str]:
    """Tickets of the only user, as so many sign-ins would get them."""
    tickets = [encode_token("cht_", SystemEntropy().bytes(32)) for _ in range(count)]
    now = SystemClock().now()
    rows = [(hash_token(one), now, now + timedelta(minutes=10)) for one in tickets]
    await db.executemany(
        "insert into tokens (hash, scope, user_id, amr, created_at, expires_at)"
        " select $1, 'mfa', id, '{pwd}', $2, $3 from users",
        rows,
    )
    return tickets
