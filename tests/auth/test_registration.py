"""Registering, and proving the address."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import AuthClient, wrong
from tests.support.clock import MovableClock
from tests.support.database import Connection, locked_table

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
ASHA = {"first_name": "Asha", "last_name": "Rao"}


async def test_registration_by_mobile_activated_signs_in(
    auth: AuthClient, auth_db: Connection
) -> None:
    answer, code = await register(auth, mobile="98765 43210", email=EMAIL, username="asha", **ASHA)
    assert answer.body == {
        "message": "User registered successfully. OTP sent!",
        "challenge": answer.body["challenge"],
        "channel": "sms",
        "expires_in": 300,
        "resend_after": 0,
        "user_id": answer.body["user_id"],
    }
    assert await auth_db.fetchval("select status from users") == "pending"
    verified = await post(auth, "/verify-otp", mobile=MOBILE, otp=code)
    assert verified.status == 200
    assert verified.body["message"] == "OTP verified successfully! Account activated."
    user = verified.body["user"]
    assert user["id"] == answer.body["user_id"]
    assert (user["phone_number"], user["phone_verified"]) == (MOBILE, True)
    assert (user["email"], user["email_verified"]) == (EMAIL, False)
    assert (user["username"], user["name"]) == ("asha", "Asha Rao")
    assert (user["first_name"], user["last_name"], user["status"]) == ("Asha", "Rao", "active")
    me = await auth.call("GET", "/me", token=verified.body["access_token"])
    assert me.body == user


async def test_registration_by_email_activated_signs_in(auth: AuthClient) -> None:
    answer, code = await register(auth, email="Asha.Rao@Example.COM", password=PASSWORD)
    assert answer.body["channel"] == "email"
    verified = await post(auth, "/verify-otp", email="ASHA.RAO@example.com", otp=code)
    assert verified.status == 200
    assert verified.body["user"]["email"] == EMAIL
    assert verified.body["user"]["email_verified"] is True
    [session] = (await auth.call("GET", "/sessions", token=verified.body["access_token"])).body[
        "items"
    ]
    assert session["amr"] == ["otp", "email"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"username": "asha"}, "body"),
        ({"mobile": MOBILE, "password": PASSWORD}, "body"),
        ({"mobile": "12345"}, "mobile"),
        ({"mobile": "+18005551234"}, "mobile"),
        ({"email": "a@x.com,b@y.com"}, "email"),
        ({"email": "asha\r\nBcc: b@y.com@x.com"}, "email"),
        ({"email": EMAIL, "password": "short"}, "password"),
        ({"email": EMAIL, "password": "password123"}, "password"),
        ({"email": EMAIL, "password": "i-am-ASHA.RAO!"}, "password"),
        ({"email": EMAIL, "username": "as ha"}, "username"),
        ({"email": EMAIL, "username": "аша"}, "username"),
        ({"email": EMAIL, "first_name": "A\nB"}, "first_name"),
        ({"email": EMAIL, "roles": ["admin"]}, "roles"),
    ],
)
async def test_registration_invalid_body_is_422(
    auth: AuthClient, auth_db: Connection, body: dict[str, Any], field: str
) -> None:
    refused = await post(auth, "/register", **body)
    assert refused.code == "validation_failed"
    assert [error["field"] for error in refused.body["errors"]] == [field]
    assert await auth_db.fetchval("select count(*) from users") == 0


async def test_registration_of_verified_identifier_is_409(auth: AuthClient) -> None:
    await activate(auth, mobile=MOBILE, username="Asha")
    await activate(auth, email=EMAIL)
    for body in (
        {"mobile": MOBILE},
        {"email": "ASHA.RAO@EXAMPLE.COM"},
        {"mobile": "+919876543211", "email": EMAIL},
        {"email": "other@example.com", "username": "ASHA"},
    ):
        refused = await post(auth, "/register", **body)
        assert (refused.status, refused.code) == (409, "already_registered"), body


async def test_registration_unverified_claim_does_not_block_owner(auth: AuthClient) -> None:
    await register(auth, mobile="+919876543211", email=EMAIL, username="asha")
    pair = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
    assert pair["user"]["username"] == "asha"


async def test_activation_wrong_foreign_or_used_code_is_otp_invalid(auth: AuthClient) -> None:
    _, code = await register(auth, email=EMAIL)
    for body in (
        {"email": EMAIL, "otp": wrong(code)},
        {"email": "other@example.com", "otp": code},
        {"mobile": MOBILE, "otp": code},
        {"email": EMAIL, "otp": code, "challenge": "0" * 32},
    ):
        refused = await post(auth, "/verify-otp", **body)
        assert (refused.status, refused.code) == (401, "otp_invalid")
    assert (await post(auth, "/verify-otp", email=EMAIL, otp=code)).status == 200
    assert (await post(auth, "/verify-otp", email=EMAIL, otp=code)).code == "otp_invalid"


async def test_activation_code_of_another_purpose_is_otp_invalid(auth: AuthClient) -> None:
    await register(auth, mobile=MOBILE)
    before = len(await auth.codes(MOBILE))
    await auth.request_code(MOBILE)
    code = await auth.code(MOBILE, before + 1)
    assert (await post(auth, "/verify-otp", mobile=MOBILE, otp=code)).code == "otp_invalid"
    assert (await auth.enter_code(MOBILE, code)).status == 201


async def test_activation_50_right_codes_at_once_succeed_once(auth: AuthClient) -> None:
    _, code = await register(auth, email=EMAIL)
    answers = await asyncio.gather(
        *(post(auth, "/verify-otp", email=EMAIL, otp=code) for _ in range(50))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 49


async def test_activation_code_is_restored_when_account_cannot_be_stored(
    auth: AuthClient, auth_db: Connection
) -> None:
    _, code = await register(auth, email=EMAIL)
    async with locked_table(auth_db, "sessions"):
        failed = await post(auth, "/verify-otp", email=EMAIL, otp=code)
    assert failed.code == "service_unavailable"
    assert await auth_db.fetchval("select status from users") == "pending"
    assert (await post(auth, "/verify-otp", email=EMAIL, otp=code)).status == 200


async def test_resend_otp_pending_registration_sends_working_code(auth: AuthClient) -> None:
    await register(auth, email=EMAIL, password=PASSWORD)
    again, code = await next_code(auth, EMAIL, "/resend-otp", email="Asha.rao@example.com")
    assert again.body["message"] == "OTP sent successfully"
    challenge = again.body["challenge"]
    verified = await post(auth, "/verify-otp", email=EMAIL, otp=code, challenge=challenge)
    assert verified.status == 200
    # A code that was asked for again proves the address alone.
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 401


async def test_resend_otp_without_pending_registration_is_404(auth: AuthClient) -> None:
    await activate(auth, email=EMAIL)
    for body in ({"email": EMAIL}, {"email": "nobody@example.com"}, {"mobile": MOBILE}):
        refused = await post(auth, "/resend-otp", **body)
        assert (refused.status, refused.code) == (404, "user_not_registered")
    for body in ({}, {"email": EMAIL, "mobile": MOBILE}):
        assert (await post(auth, "/resend-otp", **body)).code == "validation_failed"


async def test_resend_otp_within_cooldown_is_429(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(otp_cooldown=30) as auth:
        await register(auth, email=EMAIL)
        refused = await post(auth, "/resend-otp", email=EMAIL)
        assert (refused.status, refused.code) == (429, "rate_limited")
        again = await post(auth, "/register", email=EMAIL)
        assert again.code == "rate_limited"
        clock.advance(seconds=refused.body["retry_after"])
        assert (await post(auth, "/resend-otp", email=EMAIL)).status == 202


async def test_registration_refused_by_cooldown_stores_nothing(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth(otp_cooldown=30) as auth:
        await register(auth, email=EMAIL)
        await post(auth, "/register", email=EMAIL, password=PASSWORD)
        assert await auth_db.fetchval("select count(*) from users") == 1


async def test_activation_of_number_owned_meanwhile_signs_owner_in(auth: AuthClient) -> None:
    registered, code = await register(auth, mobile=MOBILE, first_name="Mallory")
    there = await auth.sign_in(MOBILE, "Asha")
    challenge = registered.body["challenge"]
    verified = await post(auth, "/verify-otp", mobile=MOBILE, otp=code, challenge=challenge)
    assert verified.status == 200
    assert verified.body["user"]["id"] == there["user"]["id"]
    assert verified.body["user"]["name"] == "Asha"


async def test_activation_of_disabled_account_is_403(auth: AuthClient, auth_db: Connection) -> None:
    _, code = await register(auth, mobile=MOBILE)
    await auth.sign_in(MOBILE)
    await auth_db.execute("update users set status = 'disabled' where phone_verified")
    refused = await post(auth, "/verify-otp", mobile=MOBILE, otp=code)
    assert (refused.status, refused.code) == (403, "account_disabled")


async def test_activation_wrong_codes_beyond_limit_are_429(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_wrong_per_destination="2/hour") as auth:
        _, code = await register(auth, email=EMAIL)
        for _ in range(2):
            assert (
                await post(auth, "/verify-otp", email=EMAIL, otp=wrong(code))
            ).code == "otp_invalid"
        assert (await post(auth, "/verify-otp", email=EMAIL, otp=code)).code == "rate_limited"


async def test_registration_with_password_beyond_client_limit_is_429(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_login_per_ip="2/minute") as auth:
        statuses = [
            (await post(auth, "/register", email=f"a{i}@example.com", password=PASSWORD)).status
            for i in range(3)
        ]
        assert statuses == [201, 201, 429]
        assert (await post(auth, "/register", email="b@example.com")).status == 201


async def test_registration_and_activation_are_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await activate(auth, email=EMAIL)
    rows = await auth_db.fetch("select event, user_id::text, details::text from audit_events")
    assert [row["event"] for row in sorted(rows, key=lambda row: str(row["event"]))] == [
        "user.activated",
        "user.registered",
        "user.signed_in",
    ]
    assert {row["user_id"] for row in rows} == {pair["user"]["id"]}
    assert EMAIL not in str(rows)
