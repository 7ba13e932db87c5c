"""Signing in by a passkey alone, and adding the one that a role demands."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.authenticator import first_step
from tests.support.database import Connection
from tests.support.passkey_client import (
    ORIGIN,
    a_passkey,
    creation_options,
    login,
    login_options,
    send_new,
    sign_in_alone,
    signed,
    user_with_passkey,
)
from tests.support.software_authenticator import BE, BS, UP, UV
from tests.support.tokens import unverified_claims

NUMBER, EMAIL = "+919876543210", "asha@example.com"
ANDROID = "com.example.app/" + ":".join(["14"] * 32)


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


@pytest.mark.parametrize(("flags", "key"), [(UP | UV, "hwk"), (UP | UV | BE | BS, "swk")])
async def test_passkey_alone_signs_in_with_both_factors(
    auth: AuthClient, auth_db: Connection, flags: int, key: str
) -> None:
    passkey = await user_with_passkey(auth, NUMBER, flags=flags)
    options = await login_options(auth)
    assert options["public_key"]["allowCredentials"] == []
    assert options["public_key"]["userVerification"] == "required"
    done = await login(auth, signed(passkey, options))
    assert done.status == 200, done.body
    assert done.body["user"]["phone_number"] == NUMBER
    claims = unverified_claims(done.body["access_token"])
    assert (claims["acr"], claims["amr"]) == ("aal2", [key, "user", "mfa"])
    assert (await auth.call("GET", "/me", token=done.body["access_token"])).status == 200
    signed_in = "select count(*) from audit_events where event = 'user.signed_in'"
    assert await auth_db.fetchval(signed_in + " and details->>'method' like '%user mfa'") == 1


async def test_passkey_alone_satisfies_a_role_that_demands_a_factor(
    serving_auth: Callable[..., Any], auth: AuthClient, auth_db: Connection
) -> None:
    passkey = await user_with_passkey(auth, NUMBER)
    await auth_db.execute("update users set roles = '{editor}'")
    changes = {"mfa_required_roles": "editor", "webauthn_rp_id": "localhost"}
    async with serving_auth(**changes, webauthn_origins=ORIGIN) as strict:
        assert (await sign_in_alone(strict, passkey)).status == 200


@pytest.fixture
async def strict(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service where editors need a second factor."""
    async with serving_auth(
        mfa_required_roles="editor", webauthn_rp_id="localhost", webauthn_origins=ORIGIN
    ) as client:
        yield client


async def make_editor(auth: AuthClient, db: Connection) -> None:
    await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await db.execute("update users set roles = '{editor}', email_verified = true")


async def test_role_that_demands_a_factor_adds_a_passkey_and_signs_in(
    strict: AuthClient, auth_db: Connection
) -> None:
    await make_editor(strict, auth_db)
    ticket = (await first_step(strict, NUMBER)).body["mfa_ticket"]
    options = (await creation_options(strict, None, mfa_ticket=ticket)).body
    passkey = a_passkey()
    done = await send_new(strict, None, passkey, options, mfa_ticket=ticket, name="Key")
    assert done.status == 201, done.body
    assert (done.body["factor"]["kind"], done.body["factor"]["name"]) == ("passkey", "Key")
    assert len(done.body["recovery_codes"]) == 10
    claims = unverified_claims(done.body["access_token"])
    assert (claims["acr"], claims["amr"]) == ("aal2", ["otp", "sms", "hwk", "user", "mfa"])
    again = await send_new(strict, None, a_passkey(), options, mfa_ticket=ticket)
    assert (again.status, again.code) == (401, "mfa_ticket_invalid")
    assert (await sign_in_alone(strict, passkey)).status == 200


async def test_password_alone_adds_no_passkey(strict: AuthClient, auth_db: Connection) -> None:
    await make_editor(strict, auth_db)
    ticket = (await first_step(strict, NUMBER)).body["mfa_ticket"]
    options = (await creation_options(strict, None, mfa_ticket=ticket)).body
    before = len(await strict.codes(NUMBER))
    stolen = (await post(strict, "/login", email=EMAIL, password=PASSWORD)).body["mfa_ticket"]
    code = await strict.code(NUMBER, before + 1)
    refused = await creation_options(strict, None, mfa_ticket=stolen)
    assert (refused.status, refused.code) == (401, "otp_invalid")
    refused = await send_new(strict, None, a_passkey(), options, mfa_ticket=stolen)
    assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")
    own = (await creation_options(strict, None, mfa_ticket=stolen, otp=code)).body
    swapped = await send_new(strict, None, a_passkey(), options, mfa_ticket=stolen)
    assert (swapped.status, swapped.code) == (422, "credential_invalid")
    done = await send_new(strict, None, a_passkey(), own, mfa_ticket=stolen)
    assert unverified_claims(done.body["access_token"])["amr"] == [
        *("pwd", "otp", "sms", "hwk", "user", "mfa")
    ]


async def test_well_known_files_name_the_apps(serving_auth: Callable[..., Any]) -> None:
    links = f"{ANDROID},{ANDROID.replace('14', 'ab')}"
    apps = "A1B2C3D4E5.com.example.app"
    async with serving_auth(android_asset_links=links, apple_app_ids=apps) as auth:
        async with auth.http.get("/.well-known/assetlinks.json") as answer:
            assert answer.content_type == "application/json"
            [link] = await answer.json()
        async with auth.http.get("/.well-known/apple-app-site-association") as answer:
            assert answer.content_type == "application/json"
            assert await answer.json() == {"webcredentials": {"apps": [apps]}}
    assert "delegate_permission/common.get_login_creds" in link["relation"]
    assert link["target"] == {
        "namespace": "android_app",
        "package_name": "com.example.app",
        "sha256_cert_fingerprints": [":".join(["14"] * 32), ":".join(["AB"] * 32)],
    }


async def test_well_known_files_without_apps_are_404(auth: AuthClient) -> None:
    for name in ("assetlinks.json", "apple-app-site-association"):
        async with auth.http.get(f"/.well-known/{name}") as answer:
            assert answer.status == 404
