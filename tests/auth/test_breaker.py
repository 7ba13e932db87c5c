"""A range of numbers whose codes nobody enters gets none for an hour."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.support.accounts import activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock

ENOUGH = 50
WATCHED = {
    "limit_send_per_prefix": "100000/hour",
    "trusted_proxies": "127.0.0.1",
    "proof_of_work": "off",
}
HOLDER, NEWCOMER, ELSEWHERE = "+919876599999", "+919876588888", "+919866500000"
AWAY: dict[str, Any] = {"headers": {"X-Forwarded-For": "203.0.113.7"}}


def numbers(count: int, first: int = 0) -> list[str]:
    """Different numbers of the range +91 987."""
    return [f"+9198765{first + i:05}" for i in range(count)]


def network_of(number: str) -> dict[str, Any]:
    """A client of a network of its own for each number: one network counts three times."""
    return {"headers": {"X-Forwarded-For": f"10.{int(number[-4:-2])}.{int(number[-2:])}.1"}}


async def send_unproven_codes(auth: AuthClient, count: int, first: int = 0) -> None:
    for number in numbers(count, first):
        answer = await auth.request_code(number, **network_of(number))
        assert answer.status == 202, (number, answer.body)


async def sign_in_numbers(auth: AuthClient, count: int, first: int = 0) -> None:
    for number in numbers(count, first):
        await auth.sign_in(number, **network_of(number))


async def read_blocks_metric(auth: AuthClient) -> str:
    async with auth.http.get("/metrics") as metrics:
        text = await metrics.text()
    lines = [line for line in text.splitlines() if line.startswith("number_ranges_blocked_total{")]
    return " ".join(lines)


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.body["retry_after"] == int(answer.headers["Retry-After"])


@pytest.fixture
async def guarded(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    async with serving_auth(**WATCHED) as auth:
        yield auth


async def test_range_breaker_50_unproven_codes_block_newcomers_for_an_hour(
    guarded: AuthClient, clock: MovableClock, redis: Redis
) -> None:
    await guarded.sign_in(HOLDER)
    await send_unproven_codes(guarded, ENOUGH - 2)
    assert await read_blocks_metric(guarded) == ""
    await send_unproven_codes(guarded, 1, first=ENOUGH)
    assert await read_blocks_metric(guarded) == 'number_ranges_blocked_total{country="IN"} 1.0'
    refused = await guarded.request_code(NEWCOMER)
    assert_refused(refused)
    assert 3500 < refused.body["retry_after"] <= 3600
    assert (await guarded.request_code(HOLDER, **AWAY)).status == 202
    assert (await guarded.request_code(ELSEWHERE)).status == 202
    [blocked] = [key async for key in redis.scan_iter("range:blocked:*")]
    assert 0 < await redis.pttl(blocked) <= 3_600_000
    clock.advance(seconds=refused.body["retry_after"])
    # The holder's code was sent in this hour too.
    await send_unproven_codes(guarded, ENOUGH - 2, first=1000)


async def test_range_breaker_tenth_proven_keeps_range_open(guarded: AuthClient) -> None:
    await sign_in_numbers(guarded, 5)
    await send_unproven_codes(guarded, 45, first=100)
    assert (
        await guarded.request_code(NEWCOMER)
    ).status == 202  # 5 of 50 were a tenth, 5 of 51 are less
    assert_refused(await guarded.request_code(NEWCOMER))


async def test_range_breaker_proofs_of_earlier_hour_do_not_count(
    guarded: AuthClient, clock: MovableClock
) -> None:
    await sign_in_numbers(guarded, 9)
    await send_unproven_codes(guarded, 40, first=100)
    clock.advance(minutes=61)
    await send_unproven_codes(guarded, ENOUGH, first=200)
    assert_refused(await guarded.request_code(NEWCOMER))


async def test_range_breaker_codes_over_more_than_an_hour_block_nothing(
    guarded: AuthClient, clock: MovableClock
) -> None:
    for first in (0, 100, 200, 300):
        await send_unproven_codes(guarded, 24, first=first)
        clock.advance(minutes=31)
    assert await read_blocks_metric(guarded) == ""


async def test_range_breaker_holder_is_served_and_does_not_prolong_block(
    guarded: AuthClient, clock: MovableClock
) -> None:
    await guarded.sign_in(HOLDER)
    await send_unproven_codes(guarded, ENOUGH - 1)
    clock.advance(minutes=30)
    for number in numbers(ENOUGH):
        assert (await guarded.request_code(HOLDER, **network_of(number))).status == 202
    refused = await guarded.request_code(NEWCOMER)
    assert_refused(refused)
    assert refused.body["retry_after"] <= 1800


async def test_range_breaker_restored_code_counts_once_as_proven(
    guarded: AuthClient, redis: Redis
) -> None:
    await activate(guarded, mobile=NEWCOMER, username="ashanti")
    sent, code = await next_code(guarded, NEWCOMER, "/forgot-password", mobile=NEWCOMER)
    body = {"mobile": NEWCOMER, "otp": code, "challenge": sent.body["challenge"]}
    [proven] = [key async for key in redis.scan_iter("range:proven:*")]
    for password, status, count in (("ashanti-1", 422, 2), ("battery staple horse", 200, 2)):
        answer = await post(guarded, "/reset-password", **body, new_password=password)
        assert (answer.status, await redis.llen(proven)) == (status, count), answer.body


async def test_range_breaker_email_is_not_counted(guarded: AuthClient, redis: Redis) -> None:
    assert (await post(guarded, "/register", email="asha@example.com")).status == 201
    assert not [key async for key in redis.scan_iter("range:*")]


async def test_range_breaker_concealed_newcomer_is_answered_202_without_code(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(account_disclosure="conceal", **WATCHED) as auth:
        await auth.sign_in(HOLDER)
        await send_unproven_codes(auth, ENOUGH - 1)
        assert (await post(auth, "/register", mobile=NEWCOMER)).status == 202
        assert (await post(auth, "/login", mobile=HOLDER)).status == 202
        await auth.code(HOLDER, 2)  # the queue is first in, first out
        assert await auth.codes(NEWCOMER) == []
