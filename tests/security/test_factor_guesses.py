"""Guessing the codes of an authenticator app in sessions that are older than the app."""

from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.authenticator import user_with_app
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, EMAIL = "+919876543210", "asha@example.com"
KNOWN = 4
"""So many new devices become known in a day."""


async def test_guesses_in_stolen_sessions_on_unknown_devices_share_one_budget(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """A stolen password makes a hundred sessions, each on a device of its own, before the app."""
    await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    stolen = []
    for _ in range(KNOWN + 2):
        signed_in = await post(auth, "/login", email=EMAIL, password=PASSWORD)
        stolen.append(signed_in.body["access_token"])
    app = await user_with_app(auth, clock, NUMBER)

    async def guess(token: str) -> str:
        body = {"otp": app.wrong()}
        return (await auth.call("POST", "/step-up", token=token, json=body)).code

    *_, first, second = stolen
    assert [await guess(first) for _ in range(20)] == ["mfa_invalid"] * 20
    assert await guess(second) == "rate_limited"
