"""Changing a password that is known."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection
from tests.support.waiting import until

EMAIL = "asha.rao@example.com"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}
NEW = "battery staple horse"


async def change(
    auth: AuthClient, pair: dict[str, Any], current: str = PASSWORD, new: str = NEW
) -> Answer:
    body = {"current_password": current, "new_password": new}
    return await auth.call("POST", "/change-password", json=body, token=pair["access_token"])


async def test_change_password_right_current_ends_other_sessions_only(auth: AuthClient) -> None:
    here = await activate(auth, **ASHA)
    there = (await post(auth, "/login", email=EMAIL, password=PASSWORD)).body
    done = await change(auth, here)
    assert (done.status, done.body) == (200, {"message": "Password changed"})
    assert (await auth.call("GET", "/me", token=here["access_token"])).status == 200
    assert (await auth.call("GET", "/me", token=there["access_token"])).code == "token_revoked"
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 401
    assert (await post(auth, "/login", email=EMAIL, password=NEW)).status == 200


async def test_change_password_wrong_current_is_403(auth: AuthClient) -> None:
    pair = await activate(auth, **ASHA)
    refused = await change(auth, pair, "another horse battery")
    assert (refused.status, refused.code) == (403, "invalid_credentials")
    without = await activate(auth, mobile="+919876543210")
    assert (await change(auth, without)).code == "invalid_credentials"
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200


async def test_change_password_without_token_is_token_missing(auth: AuthClient) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await post(auth, "/change-password", **body)).code == "token_missing"


@pytest.mark.parametrize("new", ["short", "password123", "I am asha.rao", "asha asha", "k" * 129])
async def test_change_password_weak_new_password_is_422_and_changes_nothing(
    auth: AuthClient, new: str
) -> None:
    pair = await activate(auth, **ASHA)
    refused = await change(auth, pair, new=new)
    assert refused.code == "validation_failed"
    assert [error["field"] for error in refused.body["errors"]] == ["new_password"]
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200


async def test_change_password_wrong_guesses_beyond_limit_are_429(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_login_failures="3/hour") as auth:
        pair = await activate(auth, **ASHA)
        answers = await asyncio.gather(
            *(change(auth, pair, f"guess number {i}") for i in range(10))
        )
        assert sorted(answer.status for answer in answers) == [403] * 3 + [429] * 7
        assert (await change(auth, pair)).code == "rate_limited"


async def test_change_password_10_at_once_change_it_once(auth: AuthClient) -> None:
    pair = await activate(auth, **ASHA)
    answers = await asyncio.gather(*(change(auth, pair, new=f"{NEW} {i}") for i in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [403] * 9
    [winner] = [i for i, answer in enumerate(answers) if answer.status == 200]
    assert (await post(auth, "/login", email=EMAIL, password=f"{NEW} {winner}")).status == 200


async def test_change_password_invalidates_reset_codes_and_tickets(auth: AuthClient) -> None:
    pair = await activate(auth, **ASHA)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    exchanged = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    _, outstanding = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    assert (await change(auth, pair)).status == 200
    ticket = exchanged.body["reset_ticket"]
    for body in ({"reset_ticket": ticket}, {"email": EMAIL, "otp": outstanding}):
        refused = await post(auth, "/reset-password", **body, new_password="yet another one")
        assert refused.code == "otp_invalid"


async def test_change_password_notifies_user_and_is_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await activate(auth, **ASHA)
    await change(auth, pair, "another horse battery")
    await change(auth, pair)

    async def told() -> bool:
        return "was changed" in (await auth.inbox(EMAIL))[0]["text"]

    await until(told)
    rows = await auth_db.fetch(
        "select outcome, user_id::text from audit_events where event = 'password.changed'"
        " order by id"
    )
    user_id = pair["user"]["id"]
    assert [tuple(row) for row in rows] == [("failure", user_id), ("success", user_id)]
