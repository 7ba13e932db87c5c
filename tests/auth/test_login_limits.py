"""How often passwords are tried, and how many at once."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from auth_service.client import Client
from auth_service.rate_limit.model import login_scopes
from auth_service.rate_limit.service import RateLimiter
from auth_service.settings import AuthSettings
from shared.errors import RateLimited, ServiceUnavailable
from shared.redis import open_redis
from tests.support.accounts import PASSWORD, activate, post
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
