"""A reset ticket is worth no more than the account as it was when its code was asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from auth_service.password import repository
from tests.auth.test_admin import make_admin
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection

EMAIL, NEW_EMAIL, OWN = "asha@example.com", "new@example.com", "battery staple horse"
MALLORYS = "a password of mallory's"


@asynccontextmanager
async def exchanging(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Task[Answer]]:
    """A right code is being exchanged, and gets to storing its ticket when the block ends."""
    there, go_on = asyncio.Event(), asyncio.Event()
    original = repository.add_ticket

    async def held_up(*arguments: object, **named: object) -> object:
        there.set()
        await go_on.wait()
        return await original(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(repository, "add_ticket", held_up)
    sent, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    body = {"email": EMAIL, "otp": code, "challenge": sent.body["challenge"]}
    task = asyncio.create_task(post(auth, "/verify-reset", **body))
    async with asyncio.timeout(10):
        await there.wait()
    yield task
    go_on.set()


async def ticket_of(auth: AuthClient) -> str:
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    exchanged = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    assert exchanged.status == 200, exchanged.body
    return str(exchanged.body["reset_ticket"])


async def change_email(auth: AuthClient, token: str) -> None:
    sent = await auth.call("PATCH", "/me", token=token, json={"email": NEW_EMAIL})
    assert sent.status == 202, sent.body
    body = {"email": NEW_EMAIL, "otp": await auth.code(NEW_EMAIL)}
    moved = await auth.call("POST", "/me/verify-contact", token=token, json=body)
    assert moved.status == 200, moved.body


async def test_reset_ticket_password_changed_meanwhile_is_not_issued(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
    async with exchanging(auth, monkeypatch) as exchanged:
        body = {"current_password": PASSWORD, "new_password": OWN}
        changed = await auth.call("POST", "/change-password", token=token, json=body)
        assert changed.status == 200, changed.body
    assert (await exchanged).code == "otp_invalid"
    assert await auth_db.fetchval("select count(*) from tokens where scope = 'reset'") == 0


async def test_reset_ticket_email_changed_meanwhile_is_not_issued(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
    async with exchanging(auth, monkeypatch) as exchanged:
        await change_email(auth, token)
    assert (await exchanged).code == "otp_invalid"
    assert await auth_db.fetchval("select count(*) from tokens where scope = 'reset'") == 0


async def test_reset_ticket_user_deleted_meanwhile_is_not_issued(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
    async with exchanging(auth, monkeypatch) as exchanged:
        assert (await auth.call("DELETE", "/me", token=token)).status == 204
    assert (await exchanged).code == "otp_invalid"


async def test_reset_ticket_disabled_user_is_invalid_after_enabling(
    auth: AuthClient, auth_db: Connection
) -> None:
    admin = await make_admin(auth, auth_db)
    user = (await activate(auth, email=EMAIL, password=PASSWORD))["user"]["id"]
    ticket = await ticket_of(auth)
    for action in ("disable", "enable"):
        done = await auth.call("POST", f"/admin/users/{user}/{action}", token=admin)
        assert done.status == 200, done.body
    refused = await post(auth, "/reset-password", reset_ticket=ticket, new_password=MALLORYS)
    assert (refused.status, refused.code) == (401, "otp_invalid")
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200


@pytest.mark.parametrize("by", ["administrator", "user"])
async def test_reset_ticket_revoked_sessions_is_otp_invalid(
    auth: AuthClient, auth_db: Connection, by: str
) -> None:
    admin = await make_admin(auth, auth_db)
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    ticket = await ticket_of(auth)
    path = f"/admin/users/{pair['user']['id']}/revoke-sessions"
    if by == "administrator":
        ended = await auth.call("POST", path, token=admin)
    else:
        ended = await auth.call("POST", "/logout-all", token=pair["access_token"])
    assert ended.status == 204, ended.body
    refused = await post(auth, "/reset-password", reset_ticket=ticket, new_password=MALLORYS)
    assert (refused.status, refused.code) == (401, "otp_invalid")
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200
