"""Who asks for a code that replaces a password learns nothing, and cannot ask too often."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ISSUER
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient, wrong
from tests.support.database import Connection
from tests.support.waiting import until

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}
NEW = "battery staple horse"


async def test_forgot_password_by_username_over_limit_of_its_email_sends_nothing(
    serving_auth: Callable[..., Any],
) -> None:
    elsewhere = {"address": "203.0.113.7"}
    limits = {"trusted_proxies": "127.0.0.1", "limit_send_total_per_destination": "2/hour"}
    async with serving_auth(**limits) as auth:
        await activate(auth, **ASHA)
        assert (await post(auth, "/forgot-password", email=EMAIL, **elsewhere)).status == 202
        assert (await post(auth, "/forgot-password", email=EMAIL, **elsewhere)).status == 202
        await auth.code(EMAIL, 2)
        for name in ("asha", "nobody"):
            statuses = [
                (await post(auth, "/forgot-password", username=name, **elsewhere)).status
                for _ in range(3)
            ]
            assert statuses == [202] * 3  # a 429 would tell who is known at that client's address
        await auth.sign_in(MOBILE)  # the queue is first in, first out: no more came
        assert len(await auth.codes(EMAIL)) == 2


async def test_forgot_password_by_username_leaves_limit_of_its_email_open(
    serving_auth: Callable[..., Any],
) -> None:
    limits = {"trusted_proxies": "127.0.0.1", "limit_send_total_per_destination": "2/hour"}
    async with serving_auth() as auth:
        await activate(auth, **ASHA)
    async with serving_auth(account_disclosure="conceal", **limits) as auth:
        before = len(await auth.codes(EMAIL))
        for client in range(3):
            body = {"username": "asha", "address": f"203.0.113.{client}"}
            assert (await post(auth, "/forgot-password", **body)).status == 202
        for to in ("nobody@example.com", EMAIL):
            asked = await post(auth, "/login", email=to, address="203.0.113.9")
            assert asked.status == 202, to
        await auth.code(EMAIL, before + 3)


async def test_forgot_password_unknown_name_is_answered_like_known(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    known = await post(auth, "/forgot-password", email=EMAIL)
    for name in ({"email": "nobody@example.com"}, {"username": "nobody"}, {"username": "asha"}):
        answer = await post(auth, "/forgot-password", **name)
        assert answer.status == 202
        varying = {"challenge": known.body["challenge"]}
        assert answer.body | varying == known.body
        assert len(answer.body["challenge"]) == len(known.body["challenge"])
        for body in ({"otp": "123456"}, {"otp": "123456", "challenge": answer.body["challenge"]}):
            refused = await post(auth, "/verify-reset", **name, **body)
            assert (refused.status, refused.code) == (401, "otp_invalid")
    by_mobile = await post(auth, "/forgot-password", mobile=MOBILE)
    assert (by_mobile.status, by_mobile.body["channel"]) == (202, "sms")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/forgot-password", {}),
        ("/forgot-password", {"email": EMAIL, "username": "asha"}),
        ("/forgot-password", {"email": "no address"}),
        ("/verify-reset", {"email": EMAIL}),
        ("/verify-reset", {"otp": "123456"}),
        ("/verify-reset", {"email": EMAIL, "otp": "12345"}),
        ("/reset-password", {"new_password": NEW}),
        ("/reset-password", {"new_password": NEW, "email": EMAIL}),
        ("/reset-password", {"new_password": NEW, "otp": "123456"}),
        ("/reset-password", {"new_password": NEW, "reset_ticket": "cht_", "email": EMAIL}),
        ("/reset-password", {"new_password": NEW, "reset_ticket": "cht_", "otp": "123456"}),
        ("/reset-password", {"new_password": "short", "reset_ticket": "cht_"}),
        ("/reset-password", {"reset_ticket": "cht_"}),
    ],
)
async def test_password_reset_malformed_body_is_422(
    auth: AuthClient, path: str, body: dict[str, str]
) -> None:
    assert (await post(auth, path, **body)).code == "validation_failed"


async def test_password_reset_notifies_user_and_is_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await activate(auth, **ASHA)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    assert (await post(auth, "/verify-reset", email=EMAIL, otp=wrong(code))).status == 401
    body = {"email": EMAIL, "otp": code, "new_password": NEW}
    assert (await post(auth, "/reset-password", **body)).status == 200

    async def told() -> bool:
        return "was reset" in (await auth.inbox(EMAIL))[0]["text"]

    await until(told)
    rows = await auth_db.fetch(
        "select event, outcome, user_id::text from audit_events"
        " where event like 'password.%' order by id"
    )
    user_id = pair["user"]["id"]
    assert [tuple(row) for row in rows] == [
        ("password.reset_asked", "success", user_id),
        ("password.reset", "failure", None),
        ("password.reset", "success", user_id),
    ]


async def test_forgot_password_forged_host_is_not_in_link(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = {"email": EMAIL}
    sent = await auth.call("POST", "/forgot-password", json=body, headers=headers)
    assert sent.status == 202
    await auth.code(EMAIL, 2)
    text = (await auth.inbox(EMAIL))[0]["text"]
    assert f"\n{ISSUER}/v1/auth/pages/reset-password#reset_ticket=cht_" in text
    assert "evil" not in text


@pytest.mark.parametrize(
    ("path", "more"), [("/verify-reset", {}), ("/reset-password", {"new_password": NEW})]
)
async def test_password_reset_code_guesses_beyond_limit_are_429(
    serving_auth: Callable[..., Any], path: str, more: dict[str, str]
) -> None:
    async with serving_auth(limit_wrong_per_ip="1/hour") as auth:
        await activate(auth, email=EMAIL, password=PASSWORD)
        await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
        guess = {"email": EMAIL, "otp": "000000", **more}
        assert (await post(auth, path, **guess)).code == "otp_invalid"
        refused = await post(auth, path, **guess)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 0
