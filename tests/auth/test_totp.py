"""Authenticator apps: adding, proving, listing, renaming and removing one."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from auth_service.factor.model import MAX_TOTP
from auth_service.factor.sign_in import MAX_TRIES
from auth_service.keyring import Keyring
from shared.entropy import SystemEntropy
from tests.conftest import SECRET
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    begin,
    confirm,
    enrol,
    refresh,
    verify,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims
from tests.support.waiting import until

NUMBER, OTHER = "+919876543210", "+919876543211"
EMAIL = "asha@example.com"
NEW_SECRET = "another-secret-of-the-test-suite-0123456789ab"


async def test_totp_pending_answers_secret_uri_and_qr_code(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    answer = await auth.call("POST", "/me/factors/totp", token=token, json={"name": "Phone"})
    assert answer.status == 201
    assert set(answer.body) == {"id", "secret", "otpauth_uri", "qr_svg"}
    assert answer.body["otpauth_uri"].startswith("otpauth://totp/Cheershare:%2B919876543210?")
    assert f"secret={answer.body['secret']}" in answer.body["otpauth_uri"]
    assert answer.body["qr_svg"].startswith("<svg")
    listed = await auth.call("GET", "/me/factors", token=token)
    assert listed.body["items"] == []


async def test_totp_pending_factor_gates_no_sign_in(auth: AuthClient, clock: MovableClock) -> None:
    await begin(auth, clock, (await auth.sign_in(NUMBER))["access_token"])
    assert "access_token" in await auth.sign_in(NUMBER)


async def test_totp_confirmed_is_listed_and_notifies_every_contact(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await auth_db.execute("update users set email = 'a@example.com', email_verified = true")
    app = await begin(auth, clock, token)
    confirmed = await confirm(auth, token, app, app.code())
    assert confirmed.status == 200
    assert {"id": app.id, "kind": "totp", "name": "Authenticator app"}.items() <= (
        confirmed.body.items()
    )
    listed = await auth.call("GET", "/me/factors", token=token)
    assert len(confirmed.body.pop("recovery_codes")) == 10
    assert listed.body["items"] == [confirmed.body]
    for contact in (NUMBER, "a@example.com"):

        async def told(contact: str = contact) -> bool:
            texts = [str(item["text"]) for item in await auth.inbox(contact)]
            return any(text.startswith("A second factor was added") for text in texts)

        await until(told)
    events = await auth_db.fetch("select event, outcome from audit_events where event ~ 'factor'")
    assert [tuple(event) for event in events] == [("factor.added", "success")]


async def test_totp_secret_is_stored_sealed_to_its_row(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    first, second = [
        await enrol(auth, clock, (await auth.sign_in(number))["access_token"])
        for number in (NUMBER, OTHER)
    ]
    stored = await auth_db.fetchval("select secret from factors where id = $1::uuid", first.id)
    assert first.secret.encode() not in stored
    keyring = Keyring([SECRET.encode()], SystemEntropy())
    assert len(keyring.open("totp", stored)) == 16 + 20
    # moved to another user's row, it opens nothing
    await auth_db.execute(
        "update factors set secret = $1, last_step = 0 where id = $2::uuid", stored, second.id
    )
    ticket = await ask_for_factor(auth, OTHER)
    assert (await verify(auth, ticket, first.next_code())).status == 503


@pytest.mark.parametrize("otp", ["12345", "1234567", "١٢٣٤٥٦", "12a456", "", 123456])
async def test_totp_other_than_six_ascii_digits_is_422(
    auth: AuthClient, clock: MovableClock, otp: object
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    app = await begin(auth, clock, token)
    path = f"/me/factors/totp/{app.id}/confirm"
    answer = await auth.call("POST", path, token=token, json={"otp": otp})
    assert (answer.status, answer.code) == (422, "validation_failed")


async def test_totp_with_blanks_and_dashes_counts(auth: AuthClient, clock: MovableClock) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    app = await begin(auth, clock, token)
    code = app.code()
    assert (await confirm(auth, token, app, f" {code[:3]} {code[3:]}- ")).status == 200


@pytest.mark.parametrize(("offset", "status"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
async def test_totp_of_the_steps_around_now_counts(
    auth: AuthClient, clock: MovableClock, offset: int, status: int
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    app = await begin(auth, clock, token)
    assert (await confirm(auth, token, app, app.code(offset))).status == status


async def test_totp_wrong_code_confirms_nothing_and_is_audited(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    app = await begin(auth, clock, token)
    refused = await confirm(auth, token, app, app.wrong())
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    [event] = await auth_db.fetch("select * from audit_events where event = 'factor.added'")
    assert (event["outcome"], event["details"]) == (
        "failure",
        '{"kind": "totp", "reason": "mfa_invalid"}',
    )
    assert (await confirm(auth, token, app, app.code())).status == 200


async def test_totp_pending_is_gone_after_ten_minutes_or_with_a_newer_one(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    replaced = await begin(auth, clock, token)
    app = await begin(auth, clock, token)
    gone = await confirm(auth, token, replaced, replaced.code())
    assert (gone.status, gone.code) == (404, "not_found")
    clock.advance(minutes=10)
    pair = await auth.sign_in(NUMBER)
    assert (await confirm(auth, pair["access_token"], app, app.code())).status == 404


async def test_totp_beyond_the_most_is_409(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    for _ in range(MAX_TOTP):
        await enrol(auth, clock, pair["access_token"])
        pair = await refresh(auth, pair)
    refused = await auth.call("POST", "/me/factors/totp", token=pair["access_token"])
    assert (refused.status, refused.code) == (409, "conflict")
    assert await auth_db.fetchval("select factor_kinds from users") == ["totp"]


async def test_factor_of_another_user_is_404(auth: AuthClient, clock: MovableClock) -> None:
    """The table of all routes has none of these: a factor changes how its owner signs in."""
    owner, other = [await auth.sign_in(number) for number in (NUMBER, OTHER)]
    pending = await begin(auth, clock, owner["access_token"])
    stolen = await confirm(auth, other["access_token"], pending, pending.code())
    assert (stolen.status, stolen.code) == (404, "not_found")
    app = await enrol(auth, clock, owner["access_token"])
    for id_ in (app.id, uuid4()):
        for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
            answer = await auth.call(
                method, f"/me/factors/{id_}", token=other["access_token"], json=body
            )
            assert (answer.status, answer.code) == (404, "not_found")
    listed = await auth.call("GET", "/me/factors", token=owner["access_token"])
    assert [item["name"] for item in listed.body["items"]] == ["Authenticator app"]


async def test_export_names_the_factors_and_no_secret(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    token = (await refresh(auth, pair))["access_token"]
    export = (await auth.call("GET", "/me/export", token=token)).body
    [factor] = export["factors"]
    assert (factor["id"], factor["kind"]) == (app.id, "totp")
    assert "secret" not in factor


async def test_factor_is_renamed(auth: AuthClient, clock: MovableClock) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    app = await enrol(auth, clock, token)
    path = f"/me/factors/{app.id}"
    renamed = await auth.call("PATCH", path, token=token, json={"name": " Old phone "})
    assert (renamed.status, renamed.body["name"]) == (200, "Old phone")
    listed = await auth.call("GET", "/me/factors", token=token)
    assert listed.body["items"] == [renamed.body]


async def test_factor_removed_gates_no_sign_in_and_notifies(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    token = pair["access_token"]
    assert unverified_claims(token)["acr"] == "aal2"
    assert (await auth.call("DELETE", f"/me/factors/{app.id}", token=token)).status == 204
    assert await auth_db.fetchval("select factor_kinds from users") == []

    async def told() -> bool:
        texts = [str(item["text"]) for item in await auth.inbox(NUMBER)]
        return any(text.startswith("A second factor was removed") for text in texts)

    await until(told)
    # running tokens stay as they are, and the next one is truthful
    assert (await auth.call("GET", "/me", token=token)).status == 200
    claims = unverified_claims((await refresh(auth, pair))["access_token"])
    assert (claims["acr"], claims["amr"]) == ("aal1", ["sms", "otp"])
    assert "access_token" in await auth.sign_in(NUMBER)


async def enrol_with_password(auth: AuthClient, clock: MovableClock) -> Authenticator:
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    return await enrol(auth, clock, pair["access_token"])


async def sign_in_by_password(auth: AuthClient, app: Authenticator) -> int:
    """Both steps of a sign-in: the last status."""
    answer = await post(auth, "/login", email=EMAIL, password=PASSWORD)
    assert answer.code == "mfa_required"
    return (await verify(auth, answer.body["mfa_ticket"], app.next_code())).status


async def test_totp_secret_is_sealed_anew_on_use_and_outlives_a_rotation(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        app = await enrol_with_password(auth, clock)
    async with serving_auth(secret_keys=f"{NEW_SECRET},{SECRET}") as auth:
        assert await sign_in_by_password(auth, app) == 200
    async with serving_auth(secret_keys=NEW_SECRET) as auth:
        assert await sign_in_by_password(auth, app) == 200


async def test_totp_under_a_dropped_key_is_503_not_wrong(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        app = await enrol_with_password(auth, clock)
    async with serving_auth(secret_keys=NEW_SECRET) as auth:
        ticket = (await post(auth, "/login", email=EMAIL, password=PASSWORD)).body["mfa_ticket"]
        for _ in range(MAX_TRIES + 1):
            assert (await verify(auth, ticket, app.next_code())).status == 503
    async with serving_auth(secret_keys=f"{NEW_SECRET},{SECRET}") as auth:
        assert (await verify(auth, ticket, app.next_code())).status == 200


async def test_totp_under_a_dropped_key_leaves_the_users_others(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Wrong codes count as ever: else such a factor would make guesses of the others free."""
    pair = await auth.sign_in(NUMBER)
    lost = await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    app = await enrol(auth, clock, pair["access_token"])
    await auth_db.execute("update factors set secret = 'no seal' where id = $1::uuid", lost.id)
    ticket = await ask_for_factor(auth, NUMBER)
    assert (await verify(auth, ticket, app.wrong())).code == "mfa_invalid"
    assert (await verify(auth, ticket, app.next_code())).status == 200
    code = {"otp": app.next_code()}
    stepped_up = await auth.call("POST", "/step-up", token=pair["access_token"], json=code)
    assert stepped_up.status == 200
