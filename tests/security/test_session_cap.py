"""At most 100 live sessions for each user: the sign-in beyond ends the one used longest ago."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from auth_service.app import interface
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.session.sign_in import repository
from auth_service.session.sign_in.model import MAX_SESSIONS
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

NUMBER, OTHER, MAIL = "+919876543210", "+919876543211", "asha@example.com"
ADD = """
insert into sessions (id, user_id, ip, amr, auth_time, created_at, last_used_at, expires_at,
                      revoked_at)
select gen_random_uuid(), $1, '192.0.2.1', '{otp}', $3, $3, $3, $4, $5
from generate_series(1, $2)"""
LIVE = "select count(*) from sessions where user_id = $1 and revoked_at is null and expires_at > $2"


async def by_signup(auth: AuthClient) -> Answer:
    before = len(await auth.codes(NUMBER))
    await auth.request_code(NUMBER)
    return await auth.enter_code(NUMBER, await auth.code(NUMBER, before + 1))


async def by_code(auth: AuthClient) -> Answer:
    _, code = await next_code(auth, NUMBER, "/login", mobile=NUMBER)
    return await post(auth, "/login", mobile=NUMBER, otp=code)


async def by_password(auth: AuthClient) -> Answer:
    return await post(auth, "/login", email=MAIL, password=PASSWORD)


WAYS_IN: dict[str, list[Callable[[AuthClient], Awaitable[Answer]]]] = {
    "POST /signup": [by_signup],
    "POST /login": [by_code, by_password],
    "POST /verify-otp": [],  # the account is made by it
    "POST /me/factors/totp/{id}/confirm": [],  # likewise
    "POST /me/factors/passkeys": [],  # likewise
    "POST /passkeys/login": [],  # stores the session as the others do
    "POST /mfa/verify": [],  # stores the session as the first step would have
    "POST /refresh": [],  # the session goes on
}
"""Every route that hands out tokens, and how it signs in somebody who has an account."""


class Account:
    """A user with a number, a mail address and a password, and what is stored of them."""

    def __init__(self, auth: AuthClient, db: Connection, clock: MovableClock) -> None:
        self.auth, self.db, self.clock = auth, db, clock
        self.pair: dict[str, Any] = {}

    async def make(self) -> None:
        self.pair = await activate(self.auth, email=MAIL, password=PASSWORD)
        await self.db.execute(
            "update users set phone_number = $1, phone_verified = true where id = $2",
            NUMBER,
            self.id,
        )

    @property
    def id(self) -> UUID:
        return UUID(self.pair["user"]["id"])

    async def add(
        self, count: int, *, used: timedelta, revoked: bool = False, days: int = 9
    ) -> None:
        """Sessions that were used so long ago."""
        moment = self.clock.now() - used
        ends, ended = moment + timedelta(days=days), moment if revoked else None
        await self.db.execute(ADD, self.id, count, moment, ends, ended)

    async def live(self) -> int:
        return int(await self.db.fetchval(LIVE, self.id, self.clock.now()))

    async def ended(self) -> list[UUID]:
        rows = await self.db.fetch(
            "select id from sessions where revoked_reason = $1 order by last_used_at",
            repository.SURPLUS,
        )
        return [row["id"] for row in rows]

    async def age(self, minutes: int) -> None:
        """Let every session so far be used so much earlier."""
        await self.db.execute(
            "update sessions set last_used_at = last_used_at - $1::interval",
            timedelta(minutes=minutes),
        )


@pytest.fixture
async def account(auth: AuthClient, auth_db: Connection, clock: MovableClock) -> Account:
    made = Account(auth, auth_db, clock)
    await made.make()
    return made


def test_session_cap_tries_every_route_that_issues_tokens() -> None:
    operations = interface(development=True).operations
    issuing = {
        f"{one.method} {one.path}"
        for one in operations
        if any('"refresh_token"' in schema(shown) for shown in answers(one))
    }
    assert issuing == set(WAYS_IN)


def answers(operation: Any) -> list[object]:
    return list(operation.answers.values())


def schema(shown: object) -> str:
    if isinstance(shown, type) and issubclass(shown, BaseModel):
        return json.dumps(shown.model_json_schema())
    return ""


@pytest.mark.parametrize("enter", [way for ways in WAYS_IN.values() for way in ways])
async def test_session_cap_exceeded_ends_longest_unused_session(
    account: Account, enter: Callable[[AuthClient], Awaitable[Answer]]
) -> None:
    await account.age(60)  # the first session, whose tokens we have
    await account.add(MAX_SESSIONS - 1, used=timedelta(minutes=5))
    assert await account.live() == MAX_SESSIONS
    answer = await enter(account.auth)
    assert answer.status == 200, answer.body
    assert await account.live() == MAX_SESSIONS
    call, old = account.auth.call, account.pair
    assert (await call("GET", "/me", token=old["access_token"])).code == "token_revoked"
    body = {"refresh_token": old["refresh_token"]}
    assert (await call("POST", "/refresh", json=body)).code == "refresh_invalid"
    assert (await call("GET", "/me", token=answer.body["access_token"])).status == 200
    row = await account.db.fetchrow("select kind, subject, reason, entry from revocations")
    [ended] = await account.ended()
    assert row is not None
    assert (row["kind"], row["subject"], row["reason"]) == (
        "session",
        str(ended),
        "too_many_sessions",
    )


async def test_session_cap_revocation_is_published(account: Account, auth_db: Connection) -> None:
    await account.age(60)
    await account.add(MAX_SESSIONS - 1, used=timedelta(minutes=5))
    await by_password(account.auth)
    published = "select count(*) from revocations where published_at is not null"
    assert await auth_db.fetchval(published) == 1


async def test_session_cap_counts_last_use_and_not_sign_in(account: Account) -> None:
    await account.add(MAX_SESSIONS - 1, used=timedelta(minutes=5))
    await account.age(60)
    body = {"refresh_token": account.pair["refresh_token"]}
    fresh = await account.auth.call("POST", "/refresh", json=body)  # the oldest sign-in of all
    await by_password(account.auth)
    token = fresh.body["access_token"]
    assert (await account.auth.call("GET", "/me", token=token)).status == 200
    assert len(await account.ended()) == 1


async def test_session_cap_not_exceeded_ends_nothing(account: Account) -> None:
    await account.add(MAX_SESSIONS - 2, used=timedelta(minutes=5))
    await account.add(50, used=timedelta(minutes=5), revoked=True)
    await account.add(50, used=timedelta(days=2), days=1)  # expired
    await by_password(account.auth)
    assert await account.live() == MAX_SESSIONS
    assert await account.ended() == []
    events = "select count(*) from audit_events where event = 'session.revoked'"
    assert await account.db.fetchval(events) == 0


async def test_session_cap_far_exceeded_ends_all_surplus_sessions(account: Account) -> None:
    """An account from before there was a cap."""
    await account.add(3 * MAX_SESSIONS, used=timedelta(minutes=5))
    await by_password(account.auth)
    assert await account.live() == MAX_SESSIONS
    details = await account.db.fetch(
        "select details ->> 'ended' as ended, details ->> 'reason' as reason, user_id"
        " from audit_events where event = 'session.revoked'"
    )
    ended = str(2 * MAX_SESSIONS + 2)
    assert [tuple(row) for row in details] == [(ended, "too_many_sessions", account.id)]


async def test_session_cap_simultaneous_sign_ins_stay_within_it(account: Account) -> None:
    await account.add(MAX_SESSIONS - 2, used=timedelta(minutes=5))
    answers_ = await asyncio.gather(*(by_password(account.auth) for _ in range(12)))
    assert {answer.status for answer in answers_} == {200}
    assert await account.live() == MAX_SESSIONS
    for answer in answers_:
        token = answer.body["access_token"]
        assert (await account.auth.call("GET", "/me", token=token)).status == 200


async def test_session_cap_other_users_sessions_are_not_counted(account: Account) -> None:
    await account.add(MAX_SESSIONS - 1, used=timedelta(minutes=5))
    other = await account.auth.sign_in(OTHER)
    await account.auth.sign_in(OTHER)
    assert await account.ended() == []
    assert (await account.auth.call("GET", "/me", token=other["access_token"])).status == 200


async def test_session_cap_unpublished_revocation_does_not_block_sign_in(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(*_: object) -> None:
        raise RevocationPending

    monkeypatch.setattr(Publisher, "publish_pending_of_user", late)
    await account.add(MAX_SESSIONS, used=timedelta(minutes=5))
    assert (await by_password(account.auth)).status == 200

    async def published() -> bool:
        query = "select bool_and(published_at is not null) from revocations"
        return bool(await account.db.fetchval(query))

    await until(published)
