"""`ACCOUNT_DISCLOSURE=conceal`: no answer tells whether an account exists."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.minimum_duration import DEFAULT_SECONDS
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection

ACTIVE, PENDING, DISABLED = "asha@example.com", "meera@example.com", "ravi@example.com"
UNKNOWN = "kiran@example.com"
EVERYBODY = [ACTIVE, PENDING, DISABLED, UNKNOWN]
REQUEST_ID = "the-same-for-all"
Concealing = Callable[..., Any]


@dataclass(frozen=True)
class ObservedAnswer:
    """What a stranger sees of an answer: all of it but the time and what is drawn by chance."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    challenge: str

    @property
    def comparable(self) -> tuple[object, ...]:
        return self.status, self.headers, self.body, len(self.challenge)


async def post_as_stranger(auth: AuthClient, path: str, **body: Any) -> ObservedAnswer:
    headers = {"X-Request-ID": REQUEST_ID}
    async with auth.http.post(f"/v1/auth{path}", json=body, headers=headers) as answer:
        text = await answer.text()
        told = await answer.json(content_type=None)
        challenge = str(told.get("challenge", ""))
        seen = tuple((name, value) for name, value in answer.headers.items() if name != "Date")
        return ObservedAnswer(answer.status, seen, text.replace(challenge, "?"), challenge)


@pytest.fixture
def concealing(serving_auth: Callable[..., Any], auth_db: Connection) -> Concealing:
    """Serves where one person is active, one has registered, one is disabled."""

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator[AuthClient]:
        async with serving_auth() as auth:
            for to in (ACTIVE, DISABLED):
                await activate(auth, email=to, password=PASSWORD)
            await register(auth, email=PENDING, password=PASSWORD)
        await auth_db.execute("update users set status = 'disabled' where email = $1", DISABLED)
        async with serving_auth(account_disclosure="conceal", **changes) as auth:
            yield auth

    return serve


@pytest.mark.parametrize("path", ["/register", "/resend-otp", "/login", "/forgot-password"])
async def test_concealed_send_is_identical_for_every_account_state(
    concealing: Concealing, path: str
) -> None:
    async with concealing() as auth:
        seen = [await post_as_stranger(auth, path, email=to) for to in EVERYBODY]
    assert {one.status for one in seen} == {202}
    assert len({one.comparable for one in seen}) == 1
    assert len({one.challenge for one in seen}) == len(seen)
    assert "user_id" not in seen[0].body


@pytest.mark.parametrize("path", ["/register", "/resend-otp", "/login", "/forgot-password"])
async def test_concealed_send_takes_the_minimum_duration(concealing: Concealing, path: str) -> None:
    """Also one that is refused: who is found, and what is then done, must not show in the time."""
    async with concealing(limit_send_per_destination="1/hour") as auth:
        for to in EVERYBODY:
            for _ in range(2):
                began = time.perf_counter()
                await post_as_stranger(auth, path, email=to)
                assert time.perf_counter() - began >= DEFAULT_SECONDS * 0.9


async def test_concealed_register_with_password_or_taken_username_is_identical(
    concealing: Concealing, auth_db: Connection
) -> None:
    async with concealing() as auth:
        await auth_db.execute("update users set username = 'asha' where email = $1", ACTIVE)
        bodies = [
            {"email": ACTIVE, "password": PASSWORD},
            {"email": UNKNOWN, "password": PASSWORD},
            {"email": "other@example.com", "username": "asha"},
        ]
        seen = [await post_as_stranger(auth, "/register", **body) for body in bodies]
    assert len({one.comparable for one in seen}) == 1


@pytest.mark.parametrize(
    ("ask", "prove"),
    [("/register", "/verify-otp"), ("/resend-otp", "/verify-otp"), ("/login", "/login")],
)
async def test_concealed_wrong_codes_are_refused_and_counted_alike(
    concealing: Concealing, ask: str, prove: str
) -> None:
    async with concealing(limit_wrong_per_destination="4/hour") as auth:
        answers = []
        for to in EVERYBODY:
            challenge = (await post_as_stranger(auth, ask, email=to)).challenge
            handles = [{"challenge": challenge}] * 5 + [{}] * 5
            tries = [
                await post_as_stranger(auth, prove, email=to, otp="000000", **handle)
                for handle in handles
            ]
            answers.append([(one.status, one.headers, one.body) for one in tries])
    statuses = [status for status, _, _ in answers[0]]
    assert statuses == [401] * 10
    assert answers.count(answers[0]) == len(EVERYBODY)


async def test_concealed_send_limits_are_alike_for_every_account_state(
    concealing: Concealing,
) -> None:
    async with concealing(limit_send_per_destination="2/hour", otp_cooldown=30) as auth:
        for path in ("/login", "/register"):
            for to in EVERYBODY:
                statuses = [(await post_as_stranger(auth, path, email=to)).status for _ in range(2)]
                assert statuses == ([202, 429] if path == "/login" else [429, 429]), to


async def test_concealed_full_limit_hides_owner_from_the_same_network(
    concealing: Concealing,
) -> None:
    """From where an owner has proven the address, limits that strangers fill refuse nobody."""
    limits = {"limit_send_total_per_destination": "3/hour", "trusted_proxies": "127.0.0.1"}
    async with concealing(**limits) as auth:
        for path in ("/login", "/forgot-password"):
            for to in EVERYBODY:
                for client in range(4):
                    strangers = await post(auth, path, email=to, address=f"203.0.113.{client}")
                    assert strangers.status == 202
                assert (await post(auth, path, email=to)).status == 202, to


async def test_concealed_held_number_uses_no_more_of_its_range_than_free_one(
    concealing: Concealing, redis: Redis
) -> None:
    """Else the numbers that a full range then has room for would tell which of them is held."""
    held, free = "+919876543210", "+919876543211"
    async with concealing(limit_send_per_prefix="2/hour") as auth:
        await auth.sign_in(held)
        assert (await auth.request_code("+919876543220")).status == 202
        [range_] = [key async for key in redis.scan_iter("*send_prefix*")]
        full = await redis.lrange(range_, 0, -1)
        assert len(full) == 2
        for to in (held, free):
            assert (await post(auth, "/login", mobile=to)).status == 202
            assert await redis.lrange(range_, 0, -1) == full, to


async def test_concealed_send_delivers_what_fits_the_account_state(concealing: Concealing) -> None:
    async with concealing() as auth:
        before = {to: len(await auth.inbox(to)) for to in EVERYBODY}
        for path in ("/register", "/login", "/resend-otp"):
            for to in EVERYBODY:
                await post_as_stranger(auth, path, email=to)
        await auth.sign_in("+919876543210")  # the queue is first in, first out
        texts = {
            to: [item["text"] for item in await auth.inbox(to)][: -before[to] or None]
            for to in EVERYBODY
        }
    assert [("already have" in text, text[:6].isdigit()) for text in texts[ACTIVE]] == [
        (False, True),  # a code to log in
        (True, False),
    ]
    assert ["already have" in text for text in texts[DISABLED]] == [True]
    assert ["activates your" in text for text in texts[PENDING]] == [True, True]
    assert ["activates your" in text for text in texts[UNKNOWN]] == [True, True]  # has registered


async def test_concealed_proof_of_phone_hides_owner_of_claimed_email(
    concealing: Concealing,
) -> None:
    own, seen = "battery staple horse", []
    async with concealing() as auth:
        for last, to in enumerate(EVERYBODY):
            mine = f"+91987654321{last}"
            body = {"mobile": mine, "email": to, "password": own}
            sent, code = await next_code(auth, mine, "/register", **body)
            body = {"mobile": mine, "otp": code, "challenge": sent.body["challenge"]}
            proven = await post(auth, "/verify-otp", **body)
            assert proven.status == 200, proven.body
            token = proven.body["access_token"]
            listed = await auth.call("GET", "/sessions", token=token)
            user, me = proven.body["user"], (await auth.call("GET", "/me", token=token)).body
            own_to_each = {"id", "phone_number", "email", "created_at", "last_login_at"}
            assert (user["email"], user["email_verified"]) == (to, False)
            told = [
                {name: one[name] for name in one if name not in own_to_each} for one in (user, me)
            ]
            seen.append((told, len(listed.body["items"])))
            # What was claimed signs nobody in.
            wrong = await post(auth, "/login", email=to, password=own)
            assert wrong.code == "invalid_credentials"
        assert seen.count(seen[0]) == len(EVERYBODY)


async def test_concealed_right_code_and_password_sign_in(concealing: Concealing) -> None:
    async with concealing() as auth:
        sent = await post_as_stranger(auth, "/login", email=ACTIVE)
        code = await auth.code(ACTIVE, 2)
        body = {"email": ACTIVE, "otp": code, "challenge": sent.challenge}
        assert (await post(auth, "/login", **body)).status == 200
        assert (await post(auth, "/login", email=ACTIVE, password=PASSWORD)).status == 200
        sent = await post_as_stranger(auth, "/register", email=UNKNOWN, password=PASSWORD)
        body = {"email": UNKNOWN, "otp": await auth.code(UNKNOWN), "challenge": sent.challenge}
        assert (await post(auth, "/verify-otp", **body)).status == 200
        assert (await post(auth, "/login", email=UNKNOWN, password=PASSWORD)).status == 200


async def test_concealed_password_refusal_hides_its_reason(concealing: Concealing) -> None:
    """A stranger who registers an address knows a password for it: it must say nothing."""
    async with concealing() as auth:
        seen = [
            await post_as_stranger(auth, "/login", email=to, password=PASSWORD)
            for to in EVERYBODY[1:]
        ]
        wrong = await post_as_stranger(
            auth, "/login", email=ACTIVE, password="another horse battery"
        )
    assert wrong.status == 401
    assert {one.comparable for one in seen} == {wrong.comparable}


async def test_concealed_password_limits_are_alike_for_every_account_state(
    concealing: Concealing,
) -> None:
    async with concealing(limit_login_failures="2/hour") as auth:
        for to in EVERYBODY:
            password = PASSWORD if to == PENDING else "another horse battery"
            tries = [
                (await post_as_stranger(auth, "/login", email=to, password=password))
                for _ in range(3)
            ]
            assert [one.status for one in tries] == [401, 401, 429], to


async def test_concealed_send_refused_to_newcomers_is_answered_202(
    concealing: Concealing, clock: MovableClock
) -> None:
    async with concealing(limit_send_total="1/hour", trusted_proxies="127.0.0.1") as auth:
        before = {to: len(await auth.inbox(to)) for to in EVERYBODY}
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Request-ID": REQUEST_ID}
        for path in ("/register", "/login", "/resend-otp"):
            for to in EVERYBODY:
                answer = await auth.call("POST", path, json={"email": to}, headers=headers)
                assert answer.status == 202, (path, to)
        await auth.code(ACTIVE, before[ACTIVE] + 1)
        clock.advance(hours=1)
        await auth.sign_in("+919876543210")
        assert len(await auth.codes(UNKNOWN)) == 0
        assert len(await auth.codes(PENDING)) == 1  # from before


async def test_concealed_signup_in_full_range_hides_holder(
    serving_auth: Callable[..., Any],
) -> None:
    held, unknown = "+919876543210", "+919876543219"
    async with serving_auth() as auth:
        await auth.sign_in(held)
    changes = {"account_disclosure": "conceal", "trusted_proxies": "127.0.0.1"}
    async with serving_auth(**changes, limit_send_per_prefix="1/hour") as auth:
        before = len(await auth.codes(held))
        await auth.request_code("+919876500000", headers={"X-Forwarded-For": "203.0.113.1"})
        from_here = {"X-Forwarded-For": "203.0.113.9"}
        answers = [await auth.request_code(number, headers=from_here) for number in (unknown, held)]
        await auth.code(held, before + 1)  # the queue is first in, first out
        assert await auth.codes(unknown) == []
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].body.keys() == answers[1].body.keys()


async def test_concealed_new_email_of_another_account_is_202(concealing: Concealing) -> None:
    async with concealing(limit_send_total="1/hour") as auth:
        token = (await auth.sign_in("+919876543210"))["access_token"]
        asked = [
            await auth.call("PATCH", "/me", token=token, json={"email": to})
            for to in (ACTIVE, UNKNOWN)
        ]
    assert [answer.status for answer in asked] == [202, 202]
