"""What stands against changes of an account: limits, and services that do not know yet."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection

ADMIN, NUMBER = "+919876543200", "+919876543210"


async def test_account_codes_beyond_limit_are_429(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(
        limit_send_per_destination="2/hour", limit_wrong_per_ip="1/hour"
    ) as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]

        async def limited(answer: Answer) -> None:
            assert (answer.status, answer.code) == (429, "rate_limited")
            assert int(answer.headers["Retry-After"]) > 0

        assert (await auth.call("POST", "/step-up", token=token)).status == 202
        await limited(await auth.call("POST", "/step-up", token=token))
        new = {"mobile": "+919876543299"}
        for _ in range(2):
            assert (await auth.call("PATCH", "/me", token=token, json=new)).status == 202
        await limited(await auth.call("PATCH", "/me", token=token, json=new))
        guess = {**new, "otp": "000000"}
        first = await auth.call("POST", "/me/verify-contact", token=token, json=guess)
        assert first.code == "otp_invalid"
        await limited(await auth.call("POST", "/me/verify-contact", token=token, json=guess))


async def test_step_up_password_guesses_beyond_limit_are_429(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_login_failures="2/hour") as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        body = {"password": "a guess at it"}
        for _ in range(2):
            refused = await auth.call("POST", "/step-up", token=token, json=body)
            assert refused.code == "invalid_credentials"
        refused = await auth.call("POST", "/step-up", token=token, json=body)
        assert (refused.status, refused.code) == (429, "rate_limited")


@pytest.mark.parametrize(
    ("method", "action"),
    [("POST", "/disable"), ("POST", "/revoke-sessions"), ("PUT", "/roles")],
)
async def test_admin_action_unpublished_revocation_is_done_and_pending(
    auth: AuthClient,
    auth_db: Connection,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    action: str,
) -> None:
    await auth.sign_in(ADMIN)
    await auth_db.execute("update users set roles = '{admin}'")
    admin = (await auth.sign_in(ADMIN))["access_token"]
    pair = await auth.sign_in(NUMBER)
    monkeypatch.setattr("auth_service.revocation.service.PUBLISH_TIMEOUT_SECONDS", 0)
    path = f"/admin/users/{pair['user']['id']}{action}"
    body = {"roles": ["editor"]} if method == "PUT" else None
    pending = await auth.call(method, path, token=admin, json=body)
    assert (pending.status, pending.code) == (503, "revocation_pending")
    assert int(pending.headers["Retry-After"]) >= 1
    # it is done all the same
    gone = await auth.call("GET", "/me", token=pair["access_token"])
    assert gone.code == "token_revoked"
    monkeypatch.undo()
    assert (await auth.call(method, path, token=admin, json=body)).status in {200, 204}


async def test_account_deletion_unpublished_revocation_is_done_and_pending(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    monkeypatch.setattr("auth_service.revocation.service.PUBLISH_TIMEOUT_SECONDS", 0)
    pending = await auth.call("DELETE", "/me", token=token)
    assert (pending.status, pending.code) == (503, "revocation_pending")
    assert await auth_db.fetchval("select count(*) from users") == 0
    assert (await auth.call("GET", "/me", token=token)).code == "token_revoked"
    # a sign-out is no more certain, though no session is left
    assert (await auth.call("POST", "/logout", token=token)).code == "revocation_pending"
    monkeypatch.undo()
    assert (await auth.call("POST", "/logout", token=token)).status == 204


async def test_account_change_without_redis_is_503_and_changes_nothing(
    auth: AuthClient, serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    """What is on its way could not be made worthless."""
    token = (await auth.sign_in(NUMBER))["access_token"]
    async with serving_auth(ready=False, redis_url="redis://127.0.0.1:1/0") as cut_off:
        for method, path, body in (
            ("DELETE", "/me", None),
            ("PATCH", "/me", {"mobile": "+919876543299"}),
            ("POST", "/step-up", None),
        ):
            refused = await cut_off.call(method, path, token=token, json=body)
            assert (refused.status, refused.code) == (503, "service_unavailable"), path
    assert (await auth.call("GET", "/me", token=token)).status == 200
    assert await auth_db.fetchval("select count(*) from revocations") == 0
