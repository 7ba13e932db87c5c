"""What the removal of a factor leaves: running tokens, other factors, remembered devices."""

import asyncio
from typing import Any

import pytest

from auth_service.factor.service import FactorService
from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    enrol,
    first_step,
    refresh,
    user_with_app,
    verify,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.fault_injection import block_calls
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
    """The running token goes on, but proves no factor; return the pair after it."""
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


async def sign_in_twice(auth: AuthClient, clock: MovableClock) -> tuple[Authenticator, str, str]:
    """Return the user's app, and the tokens of a thief and the owner, who both proved it."""
    app = await user_with_app(auth, clock, NUMBER)
    pairs = [
        (await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code())).body
        for _ in range(2)
    ]
    return app, *(pair["access_token"] for pair in pairs)


async def replace_app(
    auth: AuthClient, clock: MovableClock, token: str, app: Authenticator
) -> Authenticator:
    await remove(auth, token, app.id)
    return await enrol(auth, clock, (await first_step(auth, NUMBER)).body["access_token"])


async def test_token_that_proved_a_removed_factor_changes_no_later_one(
    auth: AuthClient, clock: MovableClock
) -> None:
    app, thief, owner = await sign_in_twice(auth, clock)
    later = await replace_app(auth, clock, owner, app)
    path = f"/me/factors/{later.id}"
    for answer in (
        await auth.call("DELETE", path, token=thief),
        await auth.call("POST", "/me/recovery-codes", token=thief),
        await auth.call("POST", "/me/factors/totp", token=thief),
    ):
        assert (answer.status, answer.code) == (403, "step_up_required")
    assert (await auth.call("GET", "/me", token=thief)).status == 200
    fresh = await auth.call("POST", "/step-up", token=thief, json={"otp": later.next_code()})
    token = fresh.body["access_token"]
    assert (await auth.call("DELETE", path, token=token)).status == 204


async def test_change_checked_before_the_factor_was_replaced_is_refused(
    auth: AuthClient, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, thief, owner = await sign_in_twice(auth, clock)
    held, go_on = block_calls(monkeypatch, FactorService, "replace_recovery_codes")
    change = asyncio.create_task(auth.call("POST", "/me/recovery-codes", token=thief))
    await held.wait()
    await replace_app(auth, clock, owner, app)
    go_on.set()
    assert (await change).code == "step_up_required"


async def test_change_checked_before_its_session_was_revoked_is_refused(
    auth: AuthClient, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, thief, owner = await sign_in_twice(auth, clock)
    held, go_on = block_calls(monkeypatch, FactorService, "replace_recovery_codes")
    change = asyncio.create_task(auth.call("POST", "/me/recovery-codes", token=thief))
    await held.wait()
    session = unverified_claims(thief)["sid"]
    assert (await auth.call("DELETE", f"/sessions/{session}", token=owner)).status == 204
    go_on.set()
    assert (await change).code == "token_revoked"
