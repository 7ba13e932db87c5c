"""Whatever costs money is counted, and a range of numbers that is abused asks for work."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.app import interface
from auth_service.device.schemas import SendBody
from shared.openapi import Operation
from tests.support.accounts import activate, next_code, post, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.proof_of_work import level_of, make_work_cheap, solve

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
HOLDER, NEWCOMER = "+919876599999", "+919876588888"
WATCHED = {"limit_send_per_prefix": "100000/hour", "trusted_proxies": "127.0.0.1"}
ENOUGH, PER_NETWORK = 50, 3


def client_headers(number: int) -> dict[str, Any]:
    """A client in a network of its own."""
    return {"headers": {"X-Forwarded-For": f"10.{number // 200}.{number % 200}.1"}}


async def trip_range(auth: AuthClient, count: int = ENOUGH) -> None:
    """Ask for so many codes that nobody enters, each from another network."""
    for number in range(count):
        answer = await auth.request_code(f"+9198765{number:05}", **client_headers(number))
        assert answer.status == 202, answer.body


@pytest.fixture
async def watched(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AuthClient]:
    make_work_cheap(monkeypatch)
    async with serving_auth(**WATCHED) as auth:
        yield auth


async def test_send_total_plus_addresses_share_the_mailboxs_limit(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_send_total_per_destination="3/hour") as auth:
        statuses = [
            (await post(auth, "/register", email=f"asha+{number}@example.com")).status
            for number in range(20)
        ]
        assert statuses == [201] * 3 + [429] * 17
        assert (await post(auth, "/register", email="ashok@example.com")).status == 201


async def test_range_breaker_tripped_accepts_newcomer_with_proof_of_work(
    watched: AuthClient,
) -> None:
    await watched.sign_in(HOLDER)
    await trip_range(watched, ENOUGH - 1)
    refused = await watched.request_code(NEWCOMER)
    assert refused.status == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    body = {"phone_number": NEWCOMER, "name": "Asha", "altcha": solve(refused)}
    assert (await watched.call("POST", "/signup", json=body)).status == 202
    code = await watched.code(NEWCOMER)
    assert (await watched.enter_code(NEWCOMER, code)).status == 201
    assert (await watched.request_code(HOLDER, **client_headers(999))).status == 202
    assert (await watched.request_code("+14155552671")).status == 202


async def test_proof_of_work_used_twice_is_proof_required(watched: AuthClient) -> None:
    await trip_range(watched)
    solution = solve(await watched.request_code(NEWCOMER))
    body = {"phone_number": NEWCOMER, "name": "Asha", "altcha": solution}
    assert (await watched.call("POST", "/signup", json=body)).status == 202
    for number in (NEWCOMER, "+919876577777"):
        again = await watched.call("POST", "/signup", json={**body, "phone_number": number})
        assert (again.status, again.code) == (403, "proof_required")


async def test_proof_of_work_expired_or_forged_is_proof_required(
    watched: AuthClient, clock: MovableClock
) -> None:
    await trip_range(watched)
    solution = solve(await watched.request_code(NEWCOMER))
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    forged = [
        solution[:-8],
        solution.lower(),
        "",
        "e30=",
        "null",
        "W10=",
        "eyJjaGFsbGVuZ2UiOltdfQ==",
    ]
    forged += ["".join(chance.choices("AZaz09+/=", k=400)) for _ in range(20)]
    for one in forged:
        body = {"phone_number": NEWCOMER, "name": "Asha", "altcha": one}
        answer = await watched.call("POST", "/signup", json=body)
        assert (answer.status, answer.code) == (403, "proof_required"), one
    clock.advance(minutes=11)
    body = {"phone_number": NEWCOMER, "name": "Asha", "altcha": solution}
    assert (await watched.call("POST", "/signup", json=body)).code == "proof_required"


async def send_for_work(auth: AuthClient, number: str, **options: Any) -> Answer:
    """Ask, solve, ask again."""
    solution = solve(await auth.request_code(number, **options))
    body = {"phone_number": number, "name": "Asha", "altcha": solution}
    return await auth.call("POST", "/signup", json=body, **options)


async def test_proof_of_work_level_rises_unproven_and_falls_by_proofs(watched: AuthClient) -> None:
    await trip_range(watched)
    assert level_of(await watched.request_code(NEWCOMER)) == 0
    numbers = [f"+9198765{70000 + number}" for number in range(26)]
    for place, number in enumerate(numbers):
        assert (await send_for_work(watched, number, **client_headers(500 + place))).status == 202
    assert level_of(await watched.request_code(NEWCOMER)) == 1
    for number in numbers[:2]:
        assert (await watched.enter_code(number, await watched.code(number))).status == 201
    assert level_of(await watched.request_code(NEWCOMER)) == 0


async def test_proof_of_work_level_is_not_raised_by_one_network(watched: AuthClient) -> None:
    await trip_range(watched)
    for number in range(40):
        to = f"+9198765{70000 + number}"
        assert (await send_for_work(watched, to, **client_headers(500))).status == 202
    assert level_of(await watched.request_code(NEWCOMER)) == 0


async def test_proof_of_work_easy_solution_at_higher_level_is_refused(
    watched: AuthClient,
) -> None:
    await trip_range(watched)
    easy = solve(await watched.request_code(NEWCOMER))
    for number in range(50):
        to = f"+9198765{70000 + number}"
        assert (await send_for_work(watched, to, **client_headers(500 + number))).status == 202
    body = {"phone_number": NEWCOMER, "name": "Asha", "altcha": easy}
    refused = await watched.call("POST", "/signup", json=body)
    assert level_of(refused) == 2


async def proven_codes(redis: Any) -> tuple[int, int]:
    """How many codes count as proven: in the funnel, and in the ranges of numbers."""
    funnels = [await redis.hget(key, "proven") async for key in redis.scan_iter("otp_funnel:*")]
    ranges = [await redis.llen(key) async for key in redis.scan_iter("range:proven:*")]
    return sum(int(count or 0) for count in funnels), sum(ranges)


async def test_range_breaker_restored_code_counts_once_as_proven(
    watched: AuthClient, redis: Redis
) -> None:
    """A right code with a refused password is restored, as often as the client likes."""
    await activate(watched, mobile=HOLDER, username="ashanti")
    sent, code = await next_code(watched, HOLDER, "/forgot-password", mobile=HOLDER)
    body = {"mobile": HOLDER, "otp": code, "challenge": sent.body["challenge"]}
    funnel, ranges = await proven_codes(redis)
    for _ in range(5):
        refused = await post(watched, "/reset-password", **body, new_password="ashanti-1")
        assert refused.status == 422
        assert await proven_codes(redis) == (funnel + 1, ranges + 1)


async def test_range_breaker_few_networks_do_not_trip_it(watched: AuthClient) -> None:
    """Three addresses with many asks: each network counts three times at most."""
    for number in range(120):
        headers = {"X-Forwarded-For": f"203.0.{number % 3}.{number}"}
        answer = await watched.request_code(f"+9198765{number:05}", headers=headers)
        assert answer.status == 202, answer.body
    assert (await watched.request_code(NEWCOMER, **client_headers(1))).status == 202


async def test_range_breaker_networks_of_one_ipv6_customer_count_as_one(
    watched: AuthClient,
) -> None:
    for number in range(120):
        headers = {"X-Forwarded-For": f"2001:db8:1:{number:x}::1"}
        answer = await watched.request_code(f"+9198765{number:05}", headers=headers)
        assert answer.status == 202, answer.body


async def test_range_breaker_concealed_asks_holder_and_newcomer_alike(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_work_cheap(monkeypatch)
    async with serving_auth(account_disclosure="conceal", **WATCHED) as auth:
        device = (await auth.sign_in(HOLDER))["device"]
        await trip_range(auth, ENOUGH - 1)
        for path in ("/login", "/register", "/resend-otp", "/forgot-password"):
            answers = [await post(auth, path, mobile=number) for number in (HOLDER, NEWCOMER)]
            assert {(one.status, one.code) for one in answers} == {(403, "proof_required")}, path
        known = await post(auth, "/login", mobile=HOLDER, device=device)
        assert known.status == 202


async def test_proof_of_work_limit_reached_is_429_before_work(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No work is asked for a send that a limit refuses, and that refusal spends no solution."""
    make_work_cheap(monkeypatch)
    limits = {**WATCHED, "proof_of_work": "always", "limit_send_per_destination": "1/hour"}
    async with serving_auth(**limits) as auth:
        first = solve(await auth.request_code(MOBILE))
        second = solve(await auth.request_code(MOBILE))
        body = {"phone_number": MOBILE, "name": "Asha"}
        assert (await auth.call("POST", "/signup", json={**body, "altcha": first})).status == 202
        limited = await auth.call("POST", "/signup", json={**body, "altcha": second})
        assert (limited.status, limited.code) == (429, "rate_limited")
        other = {"phone_number": HOLDER, "name": "Asha", "altcha": second}
        assert (await auth.call("POST", "/signup", json=other)).status == 202


SENDING = [
    operation
    for operation in interface(development=False).operations
    if operation.body is not None and issubclass(operation.body, SendBody)
]


def ask_of(operation: Operation) -> dict[str, str]:
    """The smallest body by which the route sends a code."""
    if operation.path == "/signup":
        return {"phone_number": NEWCOMER, "name": "Asha"}
    if operation.path == "/me":
        return {"mobile": NEWCOMER}
    return {"mobile": NEWCOMER if operation.path == "/register" else MOBILE}


@pytest.mark.parametrize("operation", SENDING, ids=lambda one: f"{one.method} {one.path}")
async def test_proof_of_work_always_is_asked_on_every_sending_route(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    make_work_cheap(monkeypatch)
    async with serving_auth() as open_auth:
        token = None
        if operation.path == "/resend-otp":
            await register(open_auth, mobile=MOBILE)
        else:
            token = (await activate(open_auth, mobile=MOBILE))["access_token"]
    async with serving_auth(proof_of_work="always") as auth:
        signed_in = {"token": token} if operation.auth else {}
        body = ask_of(operation)
        refused = await auth.call(operation.method, operation.path, json=body, **signed_in)
        assert (refused.status, refused.code) == (403, "proof_required")
        solved = {**body, "altcha": solve(refused)}
        taken = await auth.call(operation.method, operation.path, json=solved, **signed_in)
        assert taken.status in {201, 202}, taken.body


def test_sending_routes_are_all_tried() -> None:
    paths = {operation.path for operation in SENDING}
    assert {"/signup", "/register", "/login", "/resend-otp", "/forgot-password", "/me"} <= paths


async def test_range_breaker_tripped_with_work_off_is_429(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(proof_of_work="off", **WATCHED) as auth:
        await trip_range(auth)
        refused = await auth.request_code(NEWCOMER)
        assert (refused.status, refused.code) == (429, "rate_limited")


async def test_step_up_with_work_always_needs_none(serving_auth: Callable[..., Any]) -> None:
    """It is asked for by a user, at their own verified address."""
    async with serving_auth() as open_auth:
        pair = await activate(open_auth, mobile=MOBILE)
    async with serving_auth(proof_of_work="always") as auth:
        sent = await auth.call("POST", "/step-up", json={}, token=pair["access_token"])
        assert sent.status == 202, sent.body


async def test_range_breaker_tripped_leaves_mail_alone(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(**WATCHED) as auth:
        await trip_range(auth)
        await activate(auth, email=EMAIL)
        await next_code(auth, EMAIL, "/login", email=EMAIL)
