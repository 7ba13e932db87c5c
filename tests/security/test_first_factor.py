"""A stolen password alone adds no first factor: it would lock the account's owner out for good."""

from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import begin, confirm, enrol, refresh
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import a_passkey, creation_options, send_new

NUMBER, EMAIL = "+919876543210", "asha@example.com"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


async def register(auth: AuthClient, auth_db: Connection) -> dict[str, Any]:
    """A user with a number, a mail address and a password; the session began by a code."""
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    return pair


async def by_password(auth: AuthClient) -> dict[str, Any]:
    answer = await post(auth, "/login", email=EMAIL, password=PASSWORD)
    assert answer.status == 200, answer.body
    pair: dict[str, Any] = answer.body
    return pair


async def step_up(auth: AuthClient, token: str, **body: str) -> str:
    answer = await auth.call("POST", "/step-up", token=token, json=body)
    assert answer.status == 200, answer.body
    return str(answer.body["access_token"])


async def step_up_by_code(auth: AuthClient, token: str) -> str:
    before = len(await auth.codes(NUMBER))
    assert (await auth.call("POST", "/step-up", token=token)).status == 202
    return await step_up(auth, token, otp=await auth.code(NUMBER, before + 1))


def require_step_up_by_code(answer: Answer) -> None:
    assert (answer.status, answer.code) == (403, "step_up_required")
    assert "code" in answer.body["detail"]


async def test_first_factor_after_a_password_needs_a_code(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Neither sign-in nor step-up by the password is enough, whatever began the session."""
    owners = await register(auth, auth_db)
    clock.advance(minutes=6)
    stolen = await step_up(auth, owners["access_token"], password=PASSWORD)
    for token in (stolen, (await by_password(auth))["access_token"]):
        require_step_up_by_code(await auth.call("POST", "/me/factors/totp", token=token))
        require_step_up_by_code(await creation_options(auth, token))
        require_step_up_by_code(
            await auth.call(
                "POST",
                "/me/factors/passkeys",
                token=token,
                json={"challenge": "x", "credential": {}},
            )
        )
    proven = await step_up_by_code(auth, stolen)
    await enrol(auth, clock, proven)


async def test_first_factor_begun_after_a_code_is_not_confirmed_after_a_password(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await begin(auth, clock, (await register(auth, auth_db))["access_token"])
    token = (await by_password(auth))["access_token"]
    require_step_up_by_code(await confirm(auth, token, app, app.code()))
    assert await auth_db.fetchval("select factor_kinds from users") == []


async def test_first_factor_soon_after_a_sign_in_by_code_needs_no_other(
    auth: AuthClient, auth_db: Connection
) -> None:
    await register(auth, auth_db)
    sent, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    body = {"email": EMAIL, "otp": code, "challenge": sent.body["challenge"]}
    token = (await post(auth, "/login", **body)).body["access_token"]
    options = await creation_options(auth, token)
    assert (await send_new(auth, token, a_passkey(), options.body)).status == 201


async def test_first_factor_of_a_user_without_verified_contact_needs_the_password_alone(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
    await auth_db.execute("update users set email_verified = false")
    answer = await post(auth, "/login", username="asha", password=PASSWORD)
    await enrol(auth, clock, answer.body["access_token"])


async def test_second_factor_after_a_password_needs_the_first_alone(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await register(auth, auth_db)
    pair = await by_password(auth)
    app = await enrol(auth, clock, await step_up_by_code(auth, pair["access_token"]))
    clock.advance(minutes=6)
    token = (await refresh(auth, pair))["access_token"]
    await enrol(auth, clock, await step_up(auth, token, otp=app.code()))


async def test_factor_removed_and_added_anew_soon_after_a_code_needs_no_other(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await register(auth, auth_db)
    app = await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    token = pair["access_token"]
    assert (await auth.call("DELETE", f"/me/factors/{app.id}", token=token)).status == 204
    for fresh in (token, (await refresh(auth, pair))["access_token"]):
        await begin(auth, clock, fresh)
