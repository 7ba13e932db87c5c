"""What the removal of a factor leaves: running tokens, other factors, remembered devices."""

from typing import Any

import pytest

from tests.support.auth_client import AuthClient
from tests.support.authenticator import ask_for_factor, enrol, first_step, refresh, verify
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import a_passkey, add, signed, step_up, step_up_options
from tests.support.tokens import unverified_claims

NUMBER = "+919876543210"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


async def remove(auth: AuthClient, token: str, factor_id: str) -> None:
    removed = await auth.call("DELETE", f"/me/factors/{factor_id}", token=token)
    assert removed.status == 204, removed.body


async def require_claims_fall_at_the_next_refresh(
    auth: AuthClient, pair: dict[str, Any]
) -> dict[str, Any]:
    """The running token counts as before; return the pair after it."""
    token = pair["access_token"]
    assert unverified_claims(token)["acr"] == "aal2"
    assert (await auth.call("GET", "/me", token=token)).status == 200
    renewed = await refresh(auth, pair)
    claims = unverified_claims(renewed["access_token"])
    assert (claims["acr"], "mfa" in claims["amr"]) == ("aal1", False)
    return renewed


async def test_removal_of_one_of_two_factors_lowers_sessions_and_keeps_devices(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    passkey = a_passkey()
    factor = await add(auth, pair["access_token"], passkey)
    ticket = await ask_for_factor(auth, NUMBER)
    other = (await verify(auth, ticket, app.next_code(), remember_device=True)).body

    await remove(auth, pair["access_token"], app.id)
    pair = await require_claims_fall_at_the_next_refresh(auth, pair)
    await require_claims_fall_at_the_next_refresh(auth, other)
    assert (await first_step(auth, NUMBER, device=other["device"])).status == 200
    assert (await first_step(auth, NUMBER)).body["methods"] == ["passkey", "recovery_code"]

    response = signed(passkey, await step_up_options(auth, pair["access_token"]))
    pair["access_token"] = (await step_up(auth, pair["access_token"], response)).body[
        "access_token"
    ]
    await remove(auth, pair["access_token"], factor["id"])
    await require_claims_fall_at_the_next_refresh(auth, pair)
    for table in ("factors", "passkeys", "recovery_codes", "remembered_devices"):
        assert await auth_db.fetchval(f"select count(*) from {table}") == 0
    assert (await first_step(auth, NUMBER)).status == 200
