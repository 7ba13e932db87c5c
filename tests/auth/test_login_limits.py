"""How often passwords are tried, and how many at once."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from auth_service.client import Client
from auth_service.password.hasher import MAX_IN_HAND
from auth_service.rate_limit.model import login_scopes
from auth_service.rate_limit.service import RateLimiter
from auth_service.settings import AuthSettings
from shared.errors import RateLimited, ServiceUnavailable
from shared.redis import open_redis
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import many_at_once
from tests.support.clock import MovableClock

EMAIL = "asha.rao@example.com"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.7"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}


async def test_login_code_resend_within_cooldown_is_429(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(otp_cooldown=30) as auth:
        await activate(auth, email=EMAIL)
        clock.advance(seconds=31)
        assert (await post(auth, "/login", email=EMAIL)).status == 202
        refused = await post(auth, "/login", email=EMAIL)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) == refused.body["retry_after"] > 0


async def test_login_failures_of_strangers_do_not_lock_owner_out(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1", limit_login_failures="10/hour") as auth:
        await activate(auth, **ASHA)
        guesses = await asyncio.gather(
            *(
                post(auth, "/login", address=ELSEWHERE, email=EMAIL, password=f"guess-number-{i}")
                for i in range(30)
            )
        )
        assert sorted(answer.status for answer in guesses) == [401] * 10 + [429] * 20
        right = {"email": EMAIL, "password": PASSWORD}
        refused = await post(auth, "/login", address=ELSEWHERE, **right)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert (await post(auth, "/login", address=HOME, **right)).status == 200
        clock.advance(seconds=refused.body["retry_after"])
        assert (await post(auth, "/login", address=ELSEWHERE, **right)).status == 200


async def test_login_limit_right_passwords_are_not_counted(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_login_failures="2/hour") as auth:
        await activate(auth, **ASHA)
        for _ in range(4):
            assert (await post(auth, "/login", username="asha", password=PASSWORD)).status == 200


async def test_login_limit_unknown_and_known_name_are_limited_alike(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_login_failures="2/hour") as auth:
        await activate(auth, **ASHA)
        for name in ("asha", "nobody"):
            statuses = [
                (await post(auth, "/login", username=name, password=f"guess-number-{i}")).status
                for i in range(3)
            ]
            assert statuses == [401, 401, 429]


async def test_login_limit_per_client_counts_all_usernames(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1", limit_login_per_ip="3/minute") as auth:
        statuses = [
            (
                await post(
                    auth,
                    "/login",
                    address=f"2001:db8:1:2::{i}",
                    username=f"name{i}",
                    password=PASSWORD,
                )
            ).status
            for i in range(4)
        ]
        assert statuses == [401, 401, 401, 429]
        other = {"address": "2001:db8:1:3::1", "username": "name", "password": PASSWORD}
        assert (await post(auth, "/login", **other)).status == 401


async def test_login_full_hash_queue_is_503_and_health_is_served(
    serving_auth: Callable[..., Any],
) -> None:
    slow = {
        "argon2_memory_kib": 19456,
        "argon2_concurrency": 1,
        "limit_login_failures": "9999/hour",
    }
    async with serving_auth(**slow) as one, many_at_once(one) as auth:
        await activate(auth, **ASHA)
        body = {"username": "asha", "password": PASSWORD}
        logins = [
            asyncio.create_task(post(auth, "/login", **body)) for _ in range(MAX_IN_HAND + 30)
        ]
        await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        async with auth.http.get("/healthz") as alive:
            assert alive.status == 200
        assert not all(login.done() for login in logins)  # it was not kept waiting for them
        answers = await asyncio.gather(*logins)
        refused = [answer for answer in answers if answer.status == 503]
        # A slow machine refuses more than the 30 that find the queue full: for lack of time.
        assert {answer.status for answer in answers} == {200, 503}
        assert {answer.code for answer in refused} == {"service_unavailable"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


async def test_login_limit_unchecked_and_right_passwords_are_refunded(
    auth_settings: Callable[..., AuthSettings], clock: MovableClock
) -> None:
    settings = auth_settings(limit_login_failures="1/hour")
    scopes = login_scopes(settings, "username:asha", Client(ip_address(HOME), None, "request"))
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        rate_limiter = RateLimiter(redis, clock)
        for _ in range(3):
            with pytest.raises(ServiceUnavailable):
                async with rate_limiter.attempt(scopes):
                    raise ServiceUnavailable
            async with rate_limiter.attempt(scopes) as refund:
                pass
            await refund()
        async with rate_limiter.attempt(scopes):
            pass  # wrong
        with pytest.raises(RateLimited):
            async with rate_limiter.attempt(scopes):
                pytest.fail("it is refused before it is checked")
