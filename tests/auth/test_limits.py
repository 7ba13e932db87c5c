"""How often codes are sent and guessed."""

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from tests.support.auth_client import AuthClient, wrong
from tests.support.clock import MovableClock

NUMBER = "+919876543210"


def _from(address: str) -> dict[str, Any]:
    return {"headers": {"X-Forwarded-For": address}}


async def _statuses(
    auth: AuthClient, times: int, number: str = NUMBER, **options: Any
) -> list[int]:
    return [(await auth.request_code(number, **options)).status for _ in range(times)]


async def test_send_cooldown_passes_after_retry_after(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(otp_cooldown=30) as auth:
        sent = await auth.request_code(NUMBER)
        assert sent.body["resend_after"] == 30
        refused = await auth.request_code(NUMBER)
        assert refused.code == "rate_limited"
        assert refused.body["retry_after"] == int(refused.headers["Retry-After"])
        seconds = refused.body["retry_after"]
        assert 28 <= seconds <= 30
        assert refused.body["limit"] == "OTP_COOLDOWN"
        assert refused.body["detail"] == f"a code was just sent; another in {seconds} s"
        clock.advance(seconds=seconds)
        assert (await auth.request_code(NUMBER)).status == 202


async def test_send_limit_window_slides(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(limit_send_per_destination="2/hour;3/day") as auth:
        assert await _statuses(auth, 1) == [202]
        clock.advance(minutes=59)
        assert await _statuses(auth, 2) == [202, 429]
        clock.advance(minutes=2)  # the first one is out of the hour, the second is not
        assert await _statuses(auth, 2) == [202, 429]
        clock.advance(minutes=61)  # the hour is empty, the day is full
        refused = await auth.request_code(NUMBER)
        assert refused.status == 429
        assert refused.body["retry_after"] > 20 * 3600


async def test_send_limit_number_in_every_spelling_is_one_bucket(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_send_per_destination="3/hour") as auth:
        for written in ("9876543210", "09876543210", "+91 98765 43210"):
            assert await _statuses(auth, 1, written) == [202]
        assert await _statuses(auth, 1, "+91 (98765) 43210") == [429]


async def test_send_limit_of_one_network_leaves_others_their_sends(
    serving_auth: Callable[..., Any],
) -> None:
    limits = {"limit_send_per_destination": "2/hour", "limit_send_total_per_destination": "5/hour"}
    async with serving_auth(trusted_proxies="127.0.0.1", **limits) as auth:
        assert await _statuses(auth, 3, **_from("203.0.113.7")) == [202, 202, 429]
        assert await _statuses(auth, 2, **_from("198.51.100.1")) == [202, 202]
        assert await _statuses(auth, 2, **_from("198.51.100.2")) == [202, 429]  # five in all


async def test_send_limits_filled_by_strangers_spare_proven_device(
    serving_auth: Callable[..., Any],
) -> None:
    """A device that has proven the number is not refused for what others ask for."""
    limits = {
        "limit_send_total_per_destination": "2/hour",
        "limit_send_per_prefix": "2/hour",
        "limit_send_total": "2/hour",
    }
    async with serving_auth(trusted_proxies="127.0.0.1") as open_auth:
        device = (await open_auth.sign_in(NUMBER))["device"]
    async with serving_auth(trusted_proxies="127.0.0.1", **limits) as auth:
        # The owner's own sign-in counts too; nothing more is left for anybody.
        strangers = [
            (await auth.request_code(NUMBER, **_from(f"203.0.113.{i}"))).status for i in range(4)
        ]
        assert strangers.count(429) >= 2
        assert (await auth.request_code(NUMBER, device=device)).status == 202


async def test_send_limit_counts_ipv6_network_as_one_client(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1", limit_send_per_ip="2/hour") as auth:
        statuses = [
            (await auth.request_code(f"+91987654321{i}", **_from(f"2001:db8:1:2::{i}"))).status
            for i in range(3)
        ]
        assert statuses == [202, 202, 429]
        assert await _statuses(auth, 1, **_from("2001:db8:1:3::1")) == [202]


async def test_send_limit_ignores_forged_forwarded_address(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_send_per_ip="2/hour") as auth:
        statuses = [
            (await auth.request_code(f"+91987654321{i}", **_from(f"203.0.113.{i}"))).status
            for i in range(3)
        ]
        assert statuses == [202, 202, 429]


async def test_send_limit_of_range_and_total_spares_holders(
    serving_auth: Callable[..., Any],
) -> None:
    limits = {"limit_send_per_prefix": "2/hour", "limit_send_total": "3/hour"}
    async with serving_auth() as open_auth:
        await open_auth.sign_in(NUMBER)
    async with serving_auth(**limits) as auth:
        assert await _statuses(auth, 1, "+919876500001") == [202]
        assert await _statuses(auth, 1, "+919876500002") == [202]
        assert await _statuses(auth, 1, "+919876500003") == [429]
        assert await _statuses(auth, 1, NUMBER) == [202]
        assert await _statuses(auth, 1, "+14155552671") == [429]
        assert await _statuses(auth, 1, NUMBER) == [202]


async def test_code_attempts_are_limited_across_resends(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(limit_wrong_per_destination="4/hour") as auth:
        codes = []
        for sent in (1, 2):
            await auth.request_code(NUMBER)
            codes.append(await auth.code(NUMBER, sent))
            for _ in range(2):
                assert (await auth.enter_code(NUMBER, wrong(codes[-1]))).code == "otp_invalid"
        limited = await auth.enter_code(NUMBER, codes[-1])
        assert limited.code == "rate_limited"
        clock.advance(seconds=limited.body["retry_after"])
        await auth.request_code(NUMBER)
        assert (await auth.enter_code(NUMBER, await auth.code(NUMBER, 3))).status == 201


async def test_code_attempts_without_handle_leave_those_of_the_handle(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(
        trusted_proxies="127.0.0.1", limit_wrong_per_destination="2/hour"
    ) as auth:
        owner, stranger = _from("198.51.100.1"), _from("203.0.113.7")
        sent = await auth.request_code(NUMBER, **owner)
        code = await auth.code(NUMBER)
        for _ in range(4):
            await auth.enter_code(NUMBER, wrong(code), **stranger)
        # A stranger may also ask for codes, and guess at them with their handles.
        for _ in range(2):
            theirs = await auth.request_code(NUMBER, **stranger)
            await auth.enter_code(NUMBER, "000000", theirs.body["challenge"], **stranger)
        answer = await auth.enter_code(NUMBER, code, sent.body["challenge"], **owner)
        assert answer.status == 201


async def test_code_attempts_are_limited_per_address(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(limit_wrong_per_ip="3/hour") as auth:
        statuses = []
        for i in range(4):
            number = f"+91987654321{i}"
            await auth.request_code(number)
            statuses.append((await auth.enter_code(number, wrong(await auth.code(number)))).status)
        assert statuses == [401, 401, 401, 429]


async def test_code_attempts_without_challenge_are_not_counted(
    serving_auth: Callable[..., Any], redis: Redis
) -> None:
    async with serving_auth(limit_wrong_per_destination="1/hour") as auth:
        for _ in range(3):
            assert (await auth.enter_code(NUMBER, "123456")).code == "otp_invalid"
        assert not [key async for key in redis.scan_iter("limit:wrong*")]


async def test_signup_foreign_country_or_landline_is_422(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(sms_countries="IN,US") as auth:
        assert await _statuses(auth, 1, "+14155552671") == [202]
        for number in ("+447400123456", "+911800123456", "+91123", "+19005551234"):
            refused = await auth.request_code(number)
            assert refused.code == "validation_failed", number
            assert refused.body["errors"][0]["field"] == "phone_number"
            assert "write it as +919876543210" in refused.body["errors"][0]["message"]
