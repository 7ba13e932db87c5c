"""Names that would pass for the service, and whose username may be changed."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_service.settings.accounts import RESERVED_USERNAMES
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, MAIL = "+919876543210", "asha@example.com"
LONG_ENOUGH = [name for name in RESERVED_USERNAMES if len(name) >= 3]
DISGUISED = ["Admin", "ADMIN", "a.d-m_i.n", "admin_", "admin.-_", "r00t".replace("0", "o"), "m-e"]


async def rename(auth: AuthClient, token: str, username: str, **more: str) -> Answer:
    return await auth.call("PATCH", "/me", token=token, json={"username": username, **more})


def check_reserved(refused: Answer) -> None:
    assert (refused.status, refused.code) == (422, "validation_failed")
    [error] = refused.body["errors"]
    assert (error["field"], error["code"]) == ("username", "reserved")


@pytest.mark.parametrize("account_disclosure", ["reveal", "conceal"])
async def test_username_reserved_at_registration_is_refused(
    serving_auth: Callable[..., Any], auth_db: Connection, account_disclosure: str
) -> None:
    async with serving_auth(account_disclosure=account_disclosure) as auth:
        for username in [*LONG_ENOUGH, *DISGUISED]:
            check_reserved(await post(auth, "/register", email=MAIL, username=username))
        assert await auth.codes(MAIL) == []
    assert await auth_db.fetchval("select count(*) from users") == 0


async def test_username_reserved_as_a_change_is_refused(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    for username in [*LONG_ENOUGH, *DISGUISED]:
        check_reserved(await rename(auth, token, username, name="Kept back"))
    me = (await auth.call("GET", "/me", token=token)).body
    assert (me["username"], me["name"]) == (None, "Asha")


async def test_username_containing_reserved_word_is_accepted(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    for username in ("administer", "rooted", "asha.admin", "helper"):
        assert (await rename(auth, token, username)).status == 200


async def test_username_reserved_stays_with_its_holder(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await activate(auth, email=MAIL, username="asha", password=PASSWORD)
    await auth_db.execute("update users set username = 'Admin'")
    token = pair["access_token"]
    for username in ("Admin", "admin"):
        kept = await rename(auth, token, username, name="Asha Rao")
        assert (kept.status, kept.body["username"]) == (200, username)
    check_reserved(await rename(auth, token, "ad-min"))
    login = await post(auth, "/login", username="admin", password=PASSWORD)
    assert login.status == 200


async def test_username_reserved_words_come_from_the_setting(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(reserved_usernames="Acme-Desk, board") as auth:
        for username in ("acmedesk", "Acme_Desk", "BOARD"):
            check_reserved(await post(auth, "/register", email=MAIL, username=username))
        assert (await post(auth, "/register", email=MAIL, username="admin")).status == 201


async def test_username_change_without_recent_proof_requires_step_up(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    assert (await rename(auth, token, "asha")).status == 200
    clock.advance(minutes=5, seconds=1)
    for username in ("Asha", "meera", "admin"):
        refused = await rename(auth, token, username, name="Kept back")
        assert (refused.status, refused.code) == (403, "step_up_required"), username
    same = await rename(auth, token, "asha", name="Asha Rao")
    assert (same.status, same.body["name"]) == (200, "Asha Rao")
    before = len(await auth.codes(NUMBER))
    await auth.call("POST", "/step-up", token=token)
    code = {"otp": await auth.code(NUMBER, before + 1)}
    fresh = (await auth.call("POST", "/step-up", token=token, json=code)).body["access_token"]
    assert (await rename(auth, fresh, "meera")).status == 200
