"""Replacing a password that is forgotten."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

from auth_service.password.hasher import Hasher
from tests.conftest import ISSUER
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient, wrong
from tests.support.clock import MovableClock
from tests.support.database import Connection, locked_table

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}
NEW = "battery staple horse"
NAMES = [{"email": EMAIL.upper()}, {"username": "Asha"}]


async def request_reset(
    auth: AuthClient, to: str = EMAIL, **name: str
) -> tuple[dict[str, Any], str]:
    answer, code = await next_code(auth, to, "/forgot-password", **(name or {"email": EMAIL}))
    return answer.body, code


async def link_of(auth: AuthClient) -> str:
    """The ticket in the newest mail's link."""
    found = re.search(r"(\S+)#reset_ticket=(\S+)", (await auth.inbox(EMAIL))[0]["text"])
    assert found
    assert found[1] == f"{ISSUER}/v1/auth/pages/reset-password"
    return found[2]


async def ticket_of(auth: AuthClient) -> str:
    _, code = await request_reset(auth)
    answer = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    assert answer.status == 200, answer.body
    return str(answer.body["reset_ticket"])


async def reset(auth: AuthClient, ticket: str, password: str = NEW) -> Any:
    return await post(auth, "/reset-password", reset_ticket=ticket, new_password=password)


async def login(auth: AuthClient, password: str) -> int:
    return (await post(auth, "/login", email=EMAIL, password=password)).status


@pytest.mark.parametrize("name", NAMES)
async def test_reset_by_code_and_ticket_sets_password_and_ends_sessions(
    auth: AuthClient, name: dict[str, str]
) -> None:
    pair = await activate(auth, **ASHA)
    sent, code = await request_reset(auth, **name)
    assert (sent["channel"], sent["expires_in"]) == ("email", 300)
    exchanged = await post(auth, "/verify-reset", **name, otp=code, challenge=sent["challenge"])
    assert exchanged.status == 200
    ticket = exchanged.body["reset_ticket"]
    assert exchanged.body == {"reset_ticket": ticket, "expires_in": 600}
    assert ticket.startswith("cht_")
    done = await reset(auth, ticket)
    assert (done.status, done.body) == (200, {"message": "Password reset. Sign in again."})
    assert await login(auth, NEW) == 200
    assert await login(auth, PASSWORD) == 401
    me = await auth.call("GET", "/me", token=pair["access_token"])
    assert me.code == "token_revoked"
    refreshed = await post(auth, "/refresh", refresh_token=pair["refresh_token"])
    assert refreshed.code == "refresh_invalid"


@pytest.mark.parametrize("name", NAMES)
async def test_reset_by_code_in_one_step_sets_password_once(
    auth: AuthClient, name: dict[str, str]
) -> None:
    await activate(auth, **ASHA)
    _, code = await request_reset(auth, **name)
    body = {**name, "otp": code, "new_password": NEW}
    assert (await post(auth, "/reset-password", **body)).status == 200
    assert await login(auth, NEW) == 200
    assert (await post(auth, "/reset-password", **body)).code == "otp_invalid"


async def test_reset_by_mailed_link_sets_password_and_invalidates_code(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    _, code = await request_reset(auth)
    ticket = await link_of(auth)
    assert (await reset(auth, ticket)).status == 200
    assert await login(auth, NEW) == 200
    assert (await reset(auth, ticket)).code == "otp_invalid"
    killed = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    assert (killed.status, killed.code) == (401, "otp_invalid")


async def test_reset_link_after_its_code_was_used_is_otp_invalid(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    _, code = await request_reset(auth)
    ticket = await link_of(auth)
    assert (await post(auth, "/verify-reset", email=EMAIL, otp=code)).status == 200
    assert (await reset(auth, ticket)).code == "otp_invalid"
    assert await login(auth, PASSWORD) == 200


async def test_reset_link_after_guesses_without_handle_stays_valid(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    _, code = await request_reset(auth)
    for _ in range(4):
        await post(auth, "/verify-reset", email=EMAIL, otp=wrong(code))
    assert (await reset(auth, await link_of(auth))).status == 200


async def test_reset_by_mobile_sends_code_without_link(auth: AuthClient) -> None:
    await activate(auth, mobile=MOBILE, **ASHA)
    sent, code = await request_reset(auth, MOBILE, mobile="98765 43210")
    assert sent["channel"] == "sms"
    assert "cht_" not in (await auth.inbox(MOBILE))[0]["text"]
    body = {"mobile": MOBILE, "otp": code, "new_password": NEW}
    assert (await post(auth, "/reset-password", **body)).status == 200
    assert (await post(auth, "/login", username="asha", password=NEW)).status == 200


async def test_reset_by_username_without_verified_email_goes_to_phone(auth: AuthClient) -> None:
    await activate(auth, mobile=MOBILE, **ASHA)
    _, code = await request_reset(auth, MOBILE, username="asha")
    assert await auth.inbox(EMAIL) == []  # that address was never proven
    body = {"username": "asha", "otp": code, "new_password": NEW}
    assert (await post(auth, "/reset-password", **body)).status == 200


async def test_reset_account_without_password_sets_one(auth: AuthClient) -> None:
    await activate(auth, email=EMAIL)
    assert (await reset(auth, await ticket_of(auth))).status == 200
    assert await login(auth, NEW) == 200


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("password123", "password_common"),
        ("i-am-asha.rao!", "password_like_name"),
        ("it is ASHA again", "password_like_name"),
    ],
)
async def test_reset_weak_password_keeps_code_ticket_and_link_valid(
    auth: AuthClient, password: str, code: str
) -> None:
    await activate(auth, **ASHA)
    _, otp = await request_reset(auth)
    by_code = {"email": EMAIL, "otp": otp}
    for body in (by_code, {"reset_ticket": await link_of(auth)}) * 2:
        refused = await post(auth, "/reset-password", **body, new_password=password)
        assert refused.code == "validation_failed"
        assert [(e["field"], e["code"]) for e in refused.body["errors"]] == [("new_password", code)]
    exchanged = await post(auth, "/verify-reset", **by_code)
    ticket = exchanged.body["reset_ticket"]
    assert (await reset(auth, ticket, password)).code == "validation_failed"
    assert await login(auth, PASSWORD) == 200
    assert (await reset(auth, ticket)).status == 200


@pytest.mark.parametrize("by_link", [False, True])
async def test_reset_ticket_50_uses_at_once_succeed_once(
    auth: AuthClient, auth_db: Connection, *, by_link: bool
) -> None:
    await activate(auth, **ASHA)
    ticket = await (_link(auth) if by_link else ticket_of(auth))
    passwords = [f"{NEW} number {i}" for i in range(50)]
    answers = await asyncio.gather(*(reset(auth, ticket, password) for password in passwords))
    statuses = Counter(answer.status for answer in answers)
    assert statuses[200] <= 1
    assert set(statuses) <= {200, 401, 503}  # 503 where the machine is too busy
    done = "select count(*) from audit_events where event = $1 and outcome = 'success'"
    assert await auth_db.fetchval(done, "password.reset") == 1
    for password, answer in zip(passwords, answers, strict=True):
        if answer.status == 200:
            assert await login(auth, password) == 200


async def _link(auth: AuthClient) -> str:
    await request_reset(auth)
    return await link_of(auth)


async def test_reset_done_invalidates_other_codes_and_tickets(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    older, older_code = await request_reset(auth)
    older_link = await link_of(auth)
    other = await ticket_of(auth)
    assert (await reset(auth, await ticket_of(auth))).status == 200
    assert (await reset(auth, other)).code == "otp_invalid"
    assert (await reset(auth, older_link)).code == "otp_invalid"
    refused = await post(
        auth, "/verify-reset", email=EMAIL, otp=older_code, challenge=older["challenge"]
    )
    assert refused.code == "otp_invalid"


async def test_login_with_old_password_racing_reset_opens_no_session(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset commits between the check of the old password and the session."""
    await activate(auth, **ASHA)
    ticket = await ticket_of(auth)
    checked, go_on = asyncio.Event(), asyncio.Event()
    original = Hasher.verify

    async def held_up(
        hasher: Hasher, password: str, stored: str | None, client: Any, **options: Any
    ) -> bool:
        right = await original(hasher, password, stored, client, **options)
        checked.set()
        await go_on.wait()
        return right

    monkeypatch.setattr(Hasher, "verify", held_up)
    racing = asyncio.create_task(post(auth, "/login", email=EMAIL, password=PASSWORD))
    await checked.wait()
    assert (await reset(auth, ticket)).status == 200
    go_on.set()
    assert (await racing).code == "invalid_credentials"
    assert await auth_db.fetchval("select count(*) from sessions where revoked_at is null") == 0


async def test_logins_racing_reset_leave_no_session(auth: AuthClient, auth_db: Connection) -> None:
    """Fifty sign-ins beside a reset: none that began before it survives it."""
    await activate(auth, **ASHA)
    ticket = await ticket_of(auth)
    logins = [
        asyncio.create_task(post(auth, "/login", email=EMAIL, password=PASSWORD)) for _ in range(40)
    ]
    assert (await reset(auth, ticket)).status == 200
    answers = await asyncio.gather(*logins)
    assert {answer.status for answer in answers} <= {200, 401}
    assert await auth_db.fetchval("select count(*) from sessions where revoked_at is null") == 0
    for answer in answers:
        if answer.status == 200:
            me = await auth.call("GET", "/me", token=answer.body["access_token"])
            assert me.code == "token_revoked"


async def test_reset_tickets_and_links_expire(auth: AuthClient, clock: MovableClock) -> None:
    await activate(auth, **ASHA)
    ticket, link = await ticket_of(auth), await _link(auth)
    clock.advance(seconds=301)
    assert (await reset(auth, link)).code == "otp_invalid"
    clock.advance(seconds=300)
    assert (await reset(auth, ticket)).code == "otp_invalid"


async def test_reset_malformed_ticket_is_otp_invalid(auth: AuthClient) -> None:
    await activate(auth, **ASHA)
    pair = await activate(auth, mobile=MOBILE)
    real = await ticket_of(auth)
    for ticket in ("cht_", real[:-1], real[:-1] + "!", pair["refresh_token"], "nonsense"):
        assert (await reset(auth, ticket)).code == "otp_invalid"
    assert (await reset(auth, real)).status == 200


async def test_reset_ticket_is_restored_when_password_cannot_be_stored(
    auth: AuthClient, auth_db: Connection
) -> None:
    await activate(auth, **ASHA)
    ticket, link = await ticket_of(auth), await _link(auth)
    async with locked_table(auth_db, "revocations"):
        for one in (ticket, link):
            assert (await reset(auth, one)).code == "service_unavailable"
    assert await login(auth, PASSWORD) == 200
    assert (await reset(auth, link)).status == 200


async def test_reset_changed_email_or_disabled_user_invalidates_code(
    auth: AuthClient, auth_db: Connection
) -> None:
    await activate(auth, **ASHA)
    _, code = await request_reset(auth)
    link, ticket = await link_of(auth), await ticket_of(auth)
    body = {"email": EMAIL, "otp": code, "new_password": NEW}
    await auth_db.execute("update users set email = 'new@example.com'")
    assert (await post(auth, "/reset-password", **body)).code == "otp_invalid"
    assert (await reset(auth, link)).code == "otp_invalid"
    await auth_db.execute("update users set email = $1, status = 'disabled'", EMAIL)
    assert (await reset(auth, ticket)).code == "otp_invalid"
    assert (await reset(auth, await _ticket_after_disabled_request(auth))).code == "otp_invalid"


async def _ticket_after_disabled_request(auth: AuthClient) -> str:
    """Asks for a disabled user, who gets no message; returns the ticket of the mail before."""
    before = await auth.inbox(EMAIL)
    assert (await post(auth, "/forgot-password", email=EMAIL)).status == 202
    await auth.sign_in(MOBILE)  # the queue is first in, first out
    assert await auth.inbox(EMAIL) == before
    return await link_of(auth)
