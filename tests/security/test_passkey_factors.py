"""Attacks on passkeys as factors: others' passkeys and challenges, downgrades."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import ask_for_factor, refresh
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import (
    a_passkey,
    add,
    ask,
    creation_options,
    login,
    login_options,
    second_step,
    send_new,
    sign_in_alone,
    sign_in_by_both,
    signed,
    step_up,
    step_up_options,
    user_with_passkey,
)
from tests.support.software_authenticator import UP, UV

NUMBER, OTHER = "+919876543210", "+919876543211"
SESSIONS = "select count(*) from sessions"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


# ------------------------------------------------------------------ other users' passkeys


async def test_passkey_of_another_user_is_404(auth: AuthClient) -> None:
    owner, other = [await auth.sign_in(number) for number in (NUMBER, OTHER)]
    factor = await add(auth, owner["access_token"], a_passkey())
    for id_ in (factor["id"], uuid4()):
        for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
            answer = await auth.call(
                method, f"/me/factors/{id_}", token=other["access_token"], json=body
            )
            assert (answer.status, answer.code) == (404, "not_found")
    listed = await auth.call("GET", "/me/factors", token=owner["access_token"])
    assert [item["name"] for item in listed.body["items"]] == ["Passkey"]


async def test_passkey_of_another_user_completes_no_sign_in(auth: AuthClient) -> None:
    """The attacker knows the first factor, and has a passkey of their own."""
    owner, other = [await user_with_passkey(auth, number) for number in (NUMBER, OTHER)]
    for handle in ({}, {"user_handle": owner.user_handle}, {"user_handle": None}):
        refused = await sign_in_by_both(auth, NUMBER, other, **handle)
        assert (refused.status, refused.code) == (401, "mfa_invalid")


async def test_credential_id_of_another_user_is_not_registered_again(
    auth: AuthClient, auth_db: Connection
) -> None:
    owner = await user_with_passkey(auth, NUMBER)
    token = (await auth.sign_in(OTHER))["access_token"]
    options = (await creation_options(auth, token)).body
    refused = await send_new(auth, token, a_passkey(credential_id=owner.credential_id), options)
    assert (refused.status, refused.code) == (422, "credential_invalid")
    assert await auth_db.fetchval("select count(*) from factors") == 1
    assert (await sign_in_alone(auth, owner)).body["user"]["phone_number"] == NUMBER


# ------------------------------------------------------------------ every refusal alike


async def disable(auth: AuthClient, db: Connection) -> None:
    await db.execute("update users set status = 'disabled'")


async def nothing(auth: AuthClient, db: Connection) -> None:
    """The account is as it was."""


Attack = tuple[Callable[[AuthClient, Connection], Awaitable[None]], dict[str, Any]]
ATTACKS: dict[str, Attack] = {
    "disabled": (disable, {}),
    "no user verification": (nothing, {"flags": UP}),
    "no user presence": (nothing, {"flags": UV}),
    "no user handle": (nothing, {"user_handle": None}),
    "another user's handle": (nothing, {"user_handle": UUID(int=7).bytes}),
    "another page": (nothing, {"origin": "http://evil.localhost:8000"}),
    "another domain": (nothing, {"rp_id": "evil.example"}),
    "a registration": (nothing, {"type": "webauthn.create"}),
    "another challenge": (nothing, {"challenge": "A" * 43}),
    "another key": (nothing, {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}),
    "a copy": (nothing, {"sign_count": 1}),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_passkey_alone_refused_answers_alike_whatever_is_wrong(
    auth: AuthClient, auth_db: Connection, attack: str
) -> None:
    passkey = await user_with_passkey(auth, NUMBER, sign_count=5)
    before = await auth_db.fetchval(SESSIONS)
    change, forged = ATTACKS[attack]
    await change(auth, auth_db)
    refused = await sign_in_alone(auth, passkey, **({"sign_count": 6} | forged))
    unknown = await sign_in_alone(auth, a_passkey(user_handle=passkey.user_handle))
    assert await auth_db.fetchval(SESSIONS) == before
    require_alike(refused, unknown)


@pytest.mark.parametrize("credential", [{}, {"id": "x"}, {"type": "public-key", "response": []}])
async def test_passkey_alone_malformed_answers_alike(
    auth: AuthClient, credential: dict[str, Any]
) -> None:
    body = {"challenge": (await login_options(auth))["challenge"], "credential": credential}
    require_alike(await login(auth, body), await login(auth, body | {"challenge": "x"}))


def require_alike(first: Answer, second: Answer) -> None:
    """But for the detail, which tells developers why where `ENV=development`."""
    assert (first.status, first.code) == (401, "credential_invalid")
    assert "Set-Cookie" not in first.headers
    shown = [
        {name: one for name, one in answer.body.items() if name not in {"request_id", "detail"}}
        for answer in (first, second)
    ]
    assert shown[0] == shown[1]


async def test_disabled_user_by_passkey_is_refused_and_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    passkey = await user_with_passkey(auth, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    options = (await ask(auth, ticket)).body
    await auth_db.execute("update users set status = 'disabled'")
    assert (await second_step(auth, ticket, signed(passkey, options))).status == 401
    assert (await sign_in_alone(auth, passkey)).status == 401
    failed = await auth_db.fetch(
        "select details from audit_events where event = 'user.signed_in' and outcome = 'failure'"
        " and user_id is not null"
    )
    assert any("credential_invalid" in one["details"] for one in failed)


async def test_response_of_a_passkey_signs_in_once(auth: AuthClient) -> None:
    passkey = await user_with_passkey(auth, NUMBER)
    response = signed(passkey, await login_options(auth))
    assert (await login(auth, response)).status == 200
    assert (await login(auth, response)).status == 401


# ------------------------------------------------------------------ challenges


async def test_challenge_of_another_session_or_purpose_registers_nothing(
    auth: AuthClient, auth_db: Connection
) -> None:
    tokens = [(await auth.sign_in(number))["access_token"] for number in (NUMBER, NUMBER, OTHER)]
    own, second, others = [(await creation_options(auth, token)).body for token in tokens]
    foreign = await login_options(auth)
    for stolen in (second, others, foreign):
        options = own | {"challenge": stolen["challenge"]}
        options["public_key"] = own["public_key"] | {"challenge": stolen["challenge"]}
        refused = await send_new(auth, tokens[0], a_passkey(), options)
        assert (refused.status, refused.code) == (422, "credential_invalid")
    assert (await send_new(auth, tokens[0], a_passkey(), own)).status == 201
    assert await auth_db.fetchval("select count(*) from passkeys") == 1


async def test_challenge_of_a_registration_counts_once_and_for_five_minutes(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey()
    used, late = [(await creation_options(auth, token)).body for _ in range(2)]
    assert (await send_new(auth, token, passkey, used)).status == 201
    clock.advance(minutes=5)
    response = signed(passkey, await step_up_options(auth, token))
    fresh = (await step_up(auth, token, response)).body["access_token"]
    for options in (used, late):
        assert (await send_new(auth, fresh, a_passkey(), options)).code == "credential_invalid"


async def test_challenge_of_another_ticket_purpose_or_time_completes_no_sign_in(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey()
    await add(auth, token, passkey)
    ticket, other = [await ask_for_factor(auth, NUMBER) for _ in range(2)]
    swapped = (await ask(auth, other)).body
    for options in (swapped, await login_options(auth), await step_up_options(auth, token)):
        refused = await second_step(auth, ticket, signed(passkey, options))
        assert (refused.status, refused.code) == (401, "mfa_invalid")
    late = (await ask(auth, ticket)).body
    clock.advance(minutes=5)
    assert (await second_step(auth, ticket, signed(passkey, late))).code == "mfa_invalid"
    response = signed(passkey, (await ask(auth, ticket)).body)
    assert (await second_step(auth, ticket, response)).status == 200
    again = await second_step(auth, await ask_for_factor(auth, NUMBER), response)
    assert again.code == "mfa_invalid"


async def test_passkey_alone_with_the_challenge_of_another_purpose_is_refused(
    auth: AuthClient,
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey()
    await add(auth, token, passkey)
    second = (await ask(auth, await ask_for_factor(auth, NUMBER))).body
    for options in (second, await step_up_options(auth, token)):
        assert (await login(auth, signed(passkey, options))).code == "credential_invalid"


async def test_step_up_with_the_challenge_of_another_session_is_refused(auth: AuthClient) -> None:
    thief = (await auth.sign_in(NUMBER))["access_token"]
    pair = await auth.sign_in(NUMBER)
    passkey = a_passkey()
    await add(auth, pair["access_token"], passkey)
    own = await step_up_options(auth, pair["access_token"])
    response = signed(passkey, own)
    stolen = await step_up(auth, thief, response)
    assert (stolen.status, stolen.code) == (401, "mfa_invalid")
    assert (await step_up(auth, pair["access_token"], response)).status == 200


# ------------------------------------------------------------------ downgrades


async def test_user_with_a_passkey_alone_is_not_downgraded(auth: AuthClient) -> None:
    """No other method ends the sign-in, and none of the first factors steps the session up."""
    pair = await auth.sign_in(NUMBER)
    await add(auth, pair["access_token"], a_passkey())
    ticket = await ask_for_factor(auth, NUMBER)
    for body, status in (
        ({"method": "totp", "otp": "123456"}, 401),
        ({"method": "recovery_code", "recovery_code": "0" * 20}, 401),
        ({"method": "sms", "otp": "123456"}, 422),
        ({"method": "passkey"}, 422),
        ({"method": "passkey", "otp": "123456"}, 422),
        ({"method": "passkey", "credential": {}}, 422),
        ({"method": "totp", "otp": "123456", "challenge": "A" * 43}, 422),
    ):
        answer = await auth.call("POST", "/mfa/verify", json={"mfa_ticket": ticket, **body})
        assert answer.status == status, answer.body
    code = await step_up(auth, pair["access_token"], {"otp": "123456"})
    assert code.code == "mfa_invalid"
    password = await step_up(auth, pair["access_token"], {"password": "correct horse battery"})
    assert password.code == "mfa_required"


async def test_passkey_is_not_removed_without_a_proven_factor(auth: AuthClient) -> None:
    stolen = await auth.sign_in(NUMBER)
    pair = await auth.sign_in(NUMBER)
    factor = await add(auth, pair["access_token"], a_passkey())
    path = f"/me/factors/{factor['id']}"
    refused = await auth.call("DELETE", path, token=stolen["access_token"])
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert (await creation_options(auth, stolen["access_token"])).code == "step_up_required"
    token = (await refresh(auth, pair))["access_token"]
    assert (await auth.call("DELETE", path, token=token)).status == 204
