"""Signing in with an account that exists, by code or by password."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher

from auth_service.password.hasher import Hasher
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import AuthClient, wrong
from tests.support.database import Connection, locked_table

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}


@pytest.mark.parametrize("to", [{"mobile": MOBILE}, {"email": EMAIL}])
async def test_login_by_code_in_two_steps_signs_in(auth: AuthClient, to: dict[str, str]) -> None:
    there = await activate(auth, **to, first_name="Asha", last_name="Rao")
    [address] = to.values()
    sent, code = await next_code(auth, address, "/login", **to)
    assert sent.body == {
        "message": "OTP sent successfully",
        "challenge": sent.body["challenge"],
        "channel": "sms" if "mobile" in to else "email",
        "expires_in": 300,
        "resend_after": 0,
    }
    answer = await post(auth, "/login", **to, otp=code, challenge=sent.body["challenge"])
    assert answer.status == 200
    assert answer.body["user"]["id"] == there["user"]["id"]
    assert (answer.body["user"]["first_name"], answer.body["user"]["last_name"]) == ("Asha", "Rao")
    assert (await post(auth, "/login", **to, otp=code)).code == "otp_invalid"  # spent
    me = await auth.call("GET", "/me", token=answer.body["access_token"])
    assert me.body == answer.body["user"]


async def test_login_by_code_of_phone_signup_signs_in(auth: AuthClient) -> None:
    there = await auth.sign_in(MOBILE)
    _, code = await next_code(auth, MOBILE, "/login", mobile="98765 43210")
    answer = await post(auth, "/login", mobile="09876543210", otp=code)
    assert answer.body["user"]["id"] == there["user"]["id"]


@pytest.mark.parametrize(
    "name", [{"email": EMAIL}, {"email": EMAIL.upper()}, {"username": "asha"}, {"username": "ASHA"}]
)
async def test_login_by_password_signs_in_or_is_401(auth: AuthClient, name: dict[str, str]) -> None:
    there = await activate(auth, **ASHA)
    answer = await post(auth, "/login", **name, password=PASSWORD)
    assert answer.status == 200
    assert answer.body["user"]["id"] == there["user"]["id"]
    listed = await auth.call("GET", "/sessions", token=answer.body["access_token"])
    assert listed.body["items"][0]["amr"] == ["pwd"]
    refused = await post(auth, "/login", **name, password=PASSWORD + "!")
    assert (refused.status, refused.code) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "asha"},
        {"mobile": MOBILE, "email": EMAIL},
        {"mobile": MOBILE, "password": PASSWORD},
        {"password": PASSWORD},
        {"username": "asha", "email": EMAIL, "password": PASSWORD},
        {"email": EMAIL, "password": PASSWORD, "otp": "123456"},
        {"email": EMAIL, "otp": "12345"},
        {"email": "no address", "password": PASSWORD},
        {"mobile": "12345"},
    ],
)
async def test_login_malformed_body_is_422(auth: AuthClient, body: dict[str, str]) -> None:
    assert (await post(auth, "/login", **body)).code == "validation_failed"


async def test_login_by_code_unverified_is_403_and_unknown_is_404(auth: AuthClient) -> None:
    await register(auth, mobile=MOBILE, **ASHA)
    for to in ({"mobile": MOBILE}, {"email": EMAIL}):
        refused = await post(auth, "/login", **to)
        assert (refused.status, refused.code) == (403, "account_not_verified")
    refused = await post(auth, "/login", email="nobody@example.com")
    assert (refused.status, refused.code) == (404, "user_not_registered")


async def test_login_unverified_account_is_revealed_to_right_password_alone(
    auth: AuthClient,
) -> None:
    await register(auth, **ASHA)
    for name in ({"email": EMAIL}, {"username": "asha"}):
        right = await post(auth, "/login", **name, password=PASSWORD)
        assert (right.status, right.code) == (403, "account_not_verified")
        other = await post(auth, "/login", **name, password="another horse battery")
        assert other.code == "invalid_credentials"


async def test_login_disabled_account_is_revealed_to_right_password_alone(
    auth: AuthClient, auth_db: Connection
) -> None:
    await activate(auth, **ASHA)
    await auth_db.execute("update users set status = 'disabled'")
    right = await post(auth, "/login", username="asha", password=PASSWORD)
    assert (right.status, right.code) == (403, "account_disabled")
    other = await post(auth, "/login", username="asha", password="another horse battery")
    assert other.code == "invalid_credentials"
    _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    assert (await post(auth, "/login", email=EMAIL, otp=code)).code == "account_disabled"
    assert await auth_db.fetchval("select count(*) from sessions") == 1


async def test_login_by_password_refuses_unverified_email(auth: AuthClient) -> None:
    await activate(auth, mobile=MOBILE, **ASHA)  # the mobile is proven, the mail is not
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).code == (
        "invalid_credentials"
    )
    assert (await post(auth, "/login", username="asha", password=PASSWORD)).status == 200
    assert (await post(auth, "/login", email=EMAIL)).code == "user_not_registered"


@pytest.mark.parametrize("spelling", ["v\u0130sitK", "visit\u212a", "\uff56isitk"])
async def test_login_username_in_non_ascii_is_401(auth: AuthClient, spelling: str) -> None:
    """Each spelling that is folded into the name would bring tries of its own."""
    await activate(auth, email=EMAIL, username="visitk", password=PASSWORD)
    await activate(auth, mobile=MOBILE)
    refused = await post(auth, "/login", username=spelling, password=PASSWORD)
    assert (refused.status, refused.code) == (401, "invalid_credentials")
    before = await auth.inbox(EMAIL)
    assert (await post(auth, "/forgot-password", username=spelling)).status == 202
    await next_code(auth, MOBILE, "/login", mobile=MOBILE)  # the queue is first in, first out
    assert await auth.inbox(EMAIL) == before


async def test_login_by_password_account_without_one_is_401(auth: AuthClient) -> None:
    await activate(auth, email=EMAIL)
    refused = await post(auth, "/login", email=EMAIL, password=PASSWORD)
    assert refused.code == "invalid_credentials"


async def test_login_unknown_name_takes_a_real_verification(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await activate(auth, **ASHA)
    verified: list[str] = []
    original = Hasher._matches

    def watched(hasher: Hasher, password: str, stored: str) -> bool:
        verified.append(stored)
        return original(hasher, password, stored)

    monkeypatch.setattr(Hasher, "_matches", watched)
    known = await post(auth, "/login", email=EMAIL, password="another horse battery")
    unknown = await post(auth, "/login", email="nobody@example.com", password=PASSWORD)
    nobody = await post(auth, "/login", username="nobody", password=PASSWORD)
    assert len(verified) == 3
    assert [stored.rpartition("$")[0].rpartition("$")[0] for stored in verified] == [
        "$argon2id$v=19$m=64,t=1,p=1"
    ] * 3
    bodies = [{**a.body, "request_id": ""} for a in (known, unknown, nobody)]
    assert bodies[0] == bodies[1] == bodies[2]


async def test_login_wrong_codes_beyond_limit_are_429(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(limit_wrong_per_destination="2/hour") as auth:
        await activate(auth, email=EMAIL)
        _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
        for _ in range(2):
            assert (await post(auth, "/login", email=EMAIL, otp=wrong(code))).code == "otp_invalid"
        assert (await post(auth, "/login", email=EMAIL, otp=code)).code == "rate_limited"


async def test_login_code_of_another_purpose_is_otp_invalid(auth: AuthClient) -> None:
    await auth.sign_in(MOBILE)
    before = len(await auth.codes(MOBILE))
    await auth.request_code(MOBILE)
    code = await auth.code(MOBILE, before + 1)
    assert (await post(auth, "/login", mobile=MOBILE, otp=code)).code == "otp_invalid"
    assert (await post(auth, "/verify-otp", mobile=MOBILE, otp=code)).code == "otp_invalid"
    assert (await auth.enter_code(MOBILE, code)).status == 200


async def test_login_code_after_logout_all_is_otp_invalid(auth: AuthClient) -> None:
    pair = await activate(auth, email=EMAIL)
    _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    await auth.call("POST", "/logout-all", token=pair["access_token"])
    assert (await post(auth, "/login", email=EMAIL, otp=code)).code == "otp_invalid"


async def test_login_code_is_restored_when_session_cannot_be_stored(
    auth: AuthClient, auth_db: Connection
) -> None:
    await activate(auth, email=EMAIL)
    _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    async with locked_table(auth_db, "sessions"):
        assert (await post(auth, "/login", email=EMAIL, otp=code)).code == "service_unavailable"
    assert (await post(auth, "/login", email=EMAIL, otp=code)).status == 200


async def test_login_right_password_replaces_outdated_hash(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth() as auth:
        await activate(auth, **ASHA)
    async with serving_auth(argon2_time=2) as auth:
        assert (await post(auth, "/login", username="asha", password="wrong one!")).status == 401
        assert ",t=1," in await auth_db.fetchval("select password from users")
        for _ in range(2):
            assert (await post(auth, "/login", username="asha", password=PASSWORD)).status == 200
            assert ",t=2," in await auth_db.fetchval("select password from users")


async def test_login_hash_replaced_meanwhile_signs_in(
    serving_auth: Callable[..., Any], auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sign in at once after the parameters were changed: the other one was first."""
    original, met = Hasher.verify, list[str]()

    async def then_replaced(
        hasher: Hasher, password: str, stored: str | None, client: Any, **options: Any
    ) -> bool:
        right = await original(hasher, password, stored, client, **options)
        if stored and not met:
            met.append(stored)
            fresh = await hasher.hash(password, client)
            await auth_db.execute(
                "update users set password = $1 where password = $2", fresh, stored
            )
        return right

    async with serving_auth(limit_login_failures="1/hour") as auth:
        await activate(auth, **ASHA)
        monkeypatch.setattr(Hasher, "verify", then_replaced)
        for _ in range(2):  # nothing was counted
            assert (await post(auth, "/login", username="asha", password=PASSWORD)).status == 200
    assert met


async def test_login_password_changed_meanwhile_opens_no_session(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset that commits between the check of the password and the session wins."""
    await activate(auth, **ASHA)
    original = Hasher.verify

    async def then_reset(hasher: Hasher, *tried: Any, **options: Any) -> bool:
        right = await original(hasher, *tried, **options)
        await auth_db.execute("update users set password = 'another'")
        return right

    monkeypatch.setattr(Hasher, "verify", then_reset)
    refused = await post(auth, "/login", username="asha", password=PASSWORD)
    assert (refused.status, refused.code) == (401, "invalid_credentials")
    assert await auth_db.fetchval("select count(*) from sessions") == 1


async def test_login_outcomes_are_audited(auth: AuthClient, auth_db: Connection) -> None:
    pair = await activate(auth, **ASHA)
    await post(auth, "/login", username="asha", password=PASSWORD)
    await post(auth, "/login", username="asha", password="another horse battery")
    await post(auth, "/login", username="nobody", password=PASSWORD)
    rows = await auth_db.fetch(
        "select user_id::text, outcome, details->>'reason' as reason from audit_events"
        " where event = 'user.signed_in' order by id offset 1"
    )
    user_id = pair["user"]["id"]
    assert [tuple(row) for row in rows] == [
        (user_id, "success", None),
        (user_id, "failure", "invalid_credentials"),
        (None, "failure", "invalid_credentials"),
    ]


async def test_login_outdated_hash_takes_as_long_as_unknown_name(
    serving_auth: Callable[..., Any],
) -> None:
    """Until its owner comes again an account keeps the hash it has; no stranger must see that."""
    async with serving_auth() as auth:
        await activate(auth, **ASHA)
    async with serving_auth(argon2_memory_kib=65_536, argon2_time=3) as auth:
        took = []
        for name in (EMAIL, "nobody@example.com"):
            began = time.perf_counter()
            refused = await post(auth, "/login", email=name, password="another horse battery")
            took.append(time.perf_counter() - began)
            assert refused.code == "invalid_credentials"
    hash_seconds = _seconds_of_a_hash()
    assert took[0] > hash_seconds
    assert took[1] > hash_seconds


def _seconds_of_a_hash() -> float:
    """A quick look at what one takes; the quickest of three."""
    argon, took = PasswordHasher(3, 65_536, 1), []
    for _ in range(3):
        began = time.perf_counter()
        argon.hash("a password")
        took.append(time.perf_counter() - began)
    return min(took)
