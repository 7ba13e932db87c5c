"""Devices that sign in without the second factor for some days."""

import pytest

from tests.auth.remembered_devices import NUMBER, OTHER, code_of, devices, remembered
from tests.support.accounts import next_code
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import (
    ask_for_factor,
    first_step,
    refresh,
    user_with_app,
    verify,
)
from tests.support.browser import Browser
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims


async def test_remembered_device_signs_in_without_factor_for_thirty_days(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    answer = await first_step(auth, NUMBER, device=pair["device"])
    assert answer.status == 200
    claims = unverified_claims(answer.body["access_token"])
    assert (claims["amr"], claims["acr"]) == (["otp", "sms"], "aal1")
    assert len(await devices(auth, answer.body["access_token"])) == 1
    export = (await auth.call("GET", "/me/export", token=pair["access_token"])).body
    assert export["remembered_devices"] == await devices(auth, pair["access_token"])
    assert (await first_step(auth, NUMBER)).code == "mfa_required"
    clock.advance(days=30)
    assert await code_of(auth, pair["device"]) == "mfa_required"
    events = await auth_db.fetch("select * from audit_events where event = 'device.remembered'")
    assert len(events) == 1


async def test_remembered_device_still_steps_up_by_the_factor(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    pair = await remembered(auth, app)
    token = (await first_step(auth, NUMBER, device=pair["device"])).body["access_token"]
    refused = await auth.call("POST", "/me/factors/totp", token=token)
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert (await auth.call("POST", "/step-up", token=token)).code == "mfa_required"
    done = await auth.call("POST", "/step-up", token=token, json={"otp": app.next_code()})
    assert done.status == 200


async def test_remembered_device_guesses_twenty_codes_a_day_in_all_its_sessions(
    auth: AuthClient, clock: MovableClock
) -> None:
    """Each sign-in of the device makes a session, and each asks for the factor by step-up."""
    app = await user_with_app(auth, clock, NUMBER)
    device = (await remembered(auth, app))["device"]
    first, second = [
        (await first_step(auth, NUMBER, device=device)).body["access_token"] for _ in range(2)
    ]
    for _ in range(20):
        wrong = await auth.call("POST", "/step-up", token=first, json={"otp": app.wrong()})
        assert wrong.code == "mfa_invalid"
    code = {"otp": app.next_code()}
    refused = await auth.call("POST", "/step-up", token=second, json=code)
    assert (refused.status, refused.code) == (429, "rate_limited")
    elsewhere = await verify(auth, await ask_for_factor(auth, NUMBER), app.code())
    assert elsewhere.status == 200


async def test_remembered_device_cookie_is_no_use_to_a_script_of_its_page(
    auth: AuthClient, clock: MovableClock
) -> None:
    """A sign-in whose tokens scripts can read tells them of no device that a cookie names."""
    app = await user_with_app(auth, clock, NUMBER)
    browser = Browser(auth.http)
    ticket = await ask_for_factor(auth, NUMBER)
    proof = {"mfa_ticket": ticket, "method": "totp", "otp": app.next_code()}
    body = proof | {"transport": "cookie", "remember_device": True}
    assert (await browser.call("POST", "/v1/auth/mfa/verify", json=body)).status == 200

    async def sign_in(number: str, transport: str) -> Answer:
        _, code = await next_code(auth, number, "/signup", phone_number=number, name="Asha")
        body = {"phone_number": number, "otp": code, "transport": transport}
        return await browser.call("POST", "/v1/auth/signup", json=body)

    assert (await sign_in(NUMBER, "body")).code == "mfa_required"
    stolen = (await sign_in(OTHER, "body")).body
    for pair in (stolen, await refresh(auth, stolen)):
        assert await code_of(auth, pair["device"]) == "mfa_required"
    assert (await sign_in(NUMBER, "cookie")).status == 200


async def test_device_that_was_not_remembered_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    done = await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code())
    assert await code_of(auth, done.body["device"]) == "mfa_required"


async def test_remembered_device_of_another_user_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    await user_with_app(auth, clock, OTHER)
    assert (await first_step(auth, OTHER, device=pair["device"])).code == "mfa_required"


@pytest.mark.parametrize("by_id", [True, False])
async def test_remembered_device_forgotten_is_asked_again(
    auth: AuthClient, clock: MovableClock, by_id: bool
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    token = pair["access_token"]
    [device] = await devices(auth, token)
    path = "/me/remembered-devices" + (f"/{device['id']}" if by_id else "")
    assert (await auth.call("DELETE", path, token=token)).status == 204
    assert await devices(auth, token) == []
    assert await code_of(auth, pair["device"]) == "mfa_required"
