"""Passkeys as second factors: adding, proving, listing, renaming and removing one."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_service.passkey.model import MAX_PASSKEYS
from shared.opaque_tokens import encode_token
from tests.support.auth_client import AuthClient
from tests.support.authenticator import ask_for_factor, enrol, refresh, verify
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import (
    a_passkey,
    add,
    ask,
    creation_options,
    send_new,
    sign_in_alone,
    sign_in_by_both,
    signed,
    step_up,
    step_up_options,
    user_with_passkey,
)
from tests.support.software_authenticator import BE, BS, UP, UV, b64url
from tests.support.tokens import unverified_claims
from tests.support.waiting import until

NUMBER = "+919876543210"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


async def test_passkey_options_name_the_user_and_leave_out_registered_ones(
    auth: AuthClient,
) -> None:
    pair = await auth.sign_in(NUMBER)
    first = a_passkey()
    await add(auth, pair["access_token"], first)
    token = (await refresh(auth, pair))["access_token"]
    options = (await creation_options(auth, token)).body
    assert set(options) == {"challenge", "public_key"}
    public_key = options["public_key"]
    assert public_key["rp"] == {"id": "localhost", "name": "Cheershare"}
    assert public_key["user"]["name"] == NUMBER
    assert public_key["challenge"] == options["challenge"]
    assert [one["id"] for one in public_key["excludeCredentials"]] == [b64url(first.credential_id)]


async def test_passkey_added_is_listed_notified_and_proven_by_its_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER)
    token = pair["access_token"]
    added = await add(auth, token, a_passkey(flags=UP | UV | BE | BS), name=" Laptop ")
    assert len(added.pop("recovery_codes")) == 10
    assert {"kind": "passkey", "name": "Laptop", "backed_up": True}.items() <= added.items()
    listed = await auth.call("GET", "/me/factors", token=token)
    assert listed.body["items"] == [added]
    assert await auth_db.fetchval("select factor_kinds from users") == ["passkey"]
    claims = unverified_claims((await refresh(auth, pair))["access_token"])
    assert (claims["acr"], claims["amr"]) == ("aal2", ["otp", "sms", "swk", "user", "mfa"])

    async def told() -> bool:
        texts = [str(item["text"]) for item in await auth.inbox(NUMBER)]
        return any(text.startswith("A second factor was added") for text in texts)

    await until(told)
    [event] = await auth_db.fetch("select * from audit_events where event = 'factor.added'")
    assert (event["outcome"], event["details"]) == ("success", '{"kind": "passkey"}')


async def test_passkey_beside_an_app_brings_no_new_recovery_codes(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    passkey = a_passkey()
    assert "recovery_codes" not in await add(auth, pair["access_token"], passkey)
    assert await auth_db.fetchval("select factor_kinds from users") == ["passkey", "totp"]
    assert (await sign_in_by_both(auth, NUMBER, passkey)).status == 200
    done = await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code())
    assert done.status == 200


async def test_passkey_completes_a_sign_in_and_its_state_is_stored(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    passkey = await user_with_passkey(auth, NUMBER, sign_count=1)
    clock.advance(hours=1)
    ticket = await ask_for_factor(auth, NUMBER)
    options = (await ask(auth, ticket)).body
    assert [one["id"] for one in options["public_key"]["allowCredentials"]] == [
        b64url(passkey.credential_id)
    ]
    body = {"mfa_ticket": ticket, "method": "passkey"}
    body |= signed(passkey, options, sign_count=7, flags=UP | UV | BE | BS)
    done = await auth.call("POST", "/mfa/verify", json=body)
    assert done.status == 200, done.body
    claims = unverified_claims(done.body["access_token"])
    assert (claims["acr"], claims["amr"]) == ("aal2", ["otp", "sms", "swk", "user", "mfa"])
    stored = await auth_db.fetchrow("select * from passkeys")
    assert stored is not None
    assert (stored["sign_count"], stored["backup_eligible"], stored["backed_up"]) == (7, True, True)
    [item] = (await auth.call("GET", "/me/factors", token=done.body["access_token"])).body["items"]
    assert item["last_used_at"] > item["created_at"]
    assert item["backed_up"]


async def test_passkey_without_user_verification_is_a_second_factor_and_not_the_only_one(
    auth: AuthClient,
) -> None:
    """A security key without a PIN."""
    key = await user_with_passkey(auth, NUMBER, flags=UP)
    done = await sign_in_by_both(auth, NUMBER, key)
    assert unverified_claims(done.body["access_token"])["amr"] == [
        *("otp", "sms", "hwk", "user", "mfa")
    ]
    alone = await sign_in_alone(auth, key)
    assert (alone.status, alone.code) == (401, "credential_invalid")


async def test_step_up_by_passkey_proves_the_factor(auth: AuthClient, clock: MovableClock) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey()
    await add(auth, token, passkey)
    clock.advance(minutes=6)
    options = await step_up_options(auth, token)
    assert options["methods"] == ["passkey", "recovery_code"]
    done = await step_up(auth, token, signed(passkey, options))
    assert done.status == 200, done.body
    claims = unverified_claims(done.body["access_token"])
    assert claims["acr"] == "aal2"
    assert (await creation_options(auth, done.body["access_token"])).status == 200


async def test_step_up_of_a_user_with_an_app_alone_asks_for_no_passkey(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await enrol(auth, clock, token)
    assert {"challenge", "public_key"}.isdisjoint(await step_up_options(auth, token))
    refused = await ask(auth, await ask_for_factor(auth, NUMBER))
    assert (refused.status, refused.code) == (422, "credential_invalid")


async def test_passkey_is_renamed_and_removed(auth: AuthClient, auth_db: Connection) -> None:
    pair = await auth.sign_in(NUMBER)
    passkey = a_passkey()
    path = f"/me/factors/{(await add(auth, pair['access_token'], passkey))['id']}"
    token = (await refresh(auth, pair))["access_token"]
    renamed = await auth.call("PATCH", path, token=token, json={"name": "Old key"})
    assert (renamed.body["name"], renamed.body["backed_up"]) == ("Old key", False)
    assert (await auth.call("DELETE", path, token=token)).status == 204
    assert await auth_db.fetchval("select factor_kinds from users") == []
    assert await auth_db.fetchval("select count(*) from passkeys") == 0
    assert (await sign_in_alone(auth, passkey)).code == "credential_invalid"
    assert "access_token" in await auth.sign_in(NUMBER)


async def test_passkey_beyond_the_most_is_409(auth: AuthClient, auth_db: Connection) -> None:
    pair = await auth.sign_in(NUMBER)
    for _ in range(MAX_PASSKEYS - 1):
        await add(auth, pair["access_token"], a_passkey())
        pair = await refresh(auth, pair)
    token = pair["access_token"]
    early = (await creation_options(auth, token)).body
    await add(auth, token, a_passkey())
    refused = await creation_options(auth, token)
    assert (refused.status, refused.code) == (409, "conflict")
    late = await send_new(auth, token, a_passkey(), early)
    assert (late.status, late.code) == (422, "credential_invalid")
    assert await auth_db.fetchval("select count(*) from passkeys") == MAX_PASSKEYS


async def test_export_names_the_passkey_and_no_key(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    await add(auth, pair["access_token"], a_passkey())
    token = (await refresh(auth, pair))["access_token"]
    [factor] = (await auth.call("GET", "/me/export", token=token)).body["factors"]
    assert set(factor) == {"id", "kind", "name", "created_at", "last_used_at", "backed_up"}


async def test_passkeys_of_an_installation_at_an_address_are_unavailable(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        for refused in (
            await creation_options(auth, token),
            await auth.call("POST", "/passkeys/options"),
        ):
            assert (refused.status, refused.code) == (409, "passkeys_unavailable")


async def test_passkey_options_of_a_sign_in_need_its_ticket_and_a_name(
    serving_auth: Callable[..., Any], auth: AuthClient
) -> None:
    await user_with_passkey(auth, NUMBER)
    unknown = await ask(auth, encode_token("cht_", bytes(32)))
    assert (unknown.status, unknown.code) == (401, "mfa_ticket_invalid")
    ticket = await ask_for_factor(auth, NUMBER)
    async with serving_auth() as moved:
        refused = await ask(moved, ticket)
        assert (refused.status, refused.code) == (409, "passkeys_unavailable")
    assert (await ask(auth, ticket)).status == 200


async def test_step_up_at_an_address_leaves_the_other_factor(
    serving_auth: Callable[..., Any], auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    token = (await refresh(auth, pair))["access_token"]
    await add(auth, token, a_passkey())
    async with serving_auth() as moved:
        answer = await moved.call("POST", "/step-up", token=token)
        assert answer.code == "mfa_required"
        assert "public_key" not in answer.body
        code = {"otp": app.next_code()}
        assert (await moved.call("POST", "/step-up", token=token, json=code)).status == 200
