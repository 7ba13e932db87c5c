"""Messages to one number are bounded, whichever way they are asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
TOTAL, PER_DEVICE, NEW_DEVICES = 3, 5, 4
LIMITS = {
    "trusted_proxies": "127.0.0.1",
    "limit_send_per_destination": f"{PER_DEVICE}/hour",
    "limit_send_total_per_destination": f"{TOTAL}/hour",
}


async def sent_to(auth: AuthClient, number: str) -> int:
    return len(await auth.codes(number))


async def test_send_total_devices_proven_in_turn_add_few_messages(
    serving_auth: Callable[..., Any],
) -> None:
    """Each sign-in without a device draws another one, which would have a budget of its own."""
    async with serving_auth(**LIMITS) as auth:
        pair: dict[str, Any] = {"device": None}
        for _ in range(60):
            before = await sent_to(auth, MOBILE)
            sent = await auth.request_code(MOBILE, device=pair["device"])
            if sent.status == 429:
                break
            code = await auth.code(MOBILE, before + 1)
            pair = (await auth.enter_code(MOBILE, code, sent.body["challenge"])).body
        assert await sent_to(auth, MOBILE) <= TOTAL + NEW_DEVICES * PER_DEVICE
        assert (await auth.request_code(MOBILE)).status == 429


async def test_send_total_password_sign_ins_add_few_messages(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        await activate(open_auth, mobile=MOBILE, email=EMAIL, username="asha", password=PASSWORD)
    async with serving_auth(**LIMITS) as auth:
        before, taken = await sent_to(auth, MOBILE), 0
        for _ in range(30):
            pair = await post(auth, "/login", username="asha", password=PASSWORD)
            taken += (await auth.request_code(MOBILE, device=pair.body["device"])).status == 202
        assert taken <= TOTAL + NEW_DEVICES
        assert await auth.code(MOBILE, before + taken)


async def test_send_total_reset_by_any_username_counts_for_the_number(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        pair = await activate(open_auth, mobile=MOBILE, username="asha0")
    async with serving_auth(**LIMITS) as auth:
        before = await sent_to(auth, MOBILE)
        for number in range(10):
            name = f"asha{number}"
            body = {"username": name}
            done = await auth.call("PATCH", "/me", json=body, token=pair["access_token"])
            assert done.status == 200, done.body
            asked = await post(auth, "/forgot-password", username=name, address=f"203.0.{number}.1")
            assert asked.status == 202
        assert await auth.code(MOBILE, before + TOTAL)
        assert await sent_to(auth, MOBILE) == before + TOTAL


async def test_send_limit_networks_of_one_ipv6_customer_share_ten(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1", limit_send_per_ip="2/hour") as auth:
        statuses = []
        for number in range(12):
            headers = {"X-Forwarded-For": f"2001:db8:1:{number:x}::1"}
            asked = await auth.request_code(f"+9198765{number:05}", headers=headers)
            statuses.append(asked.status)
        assert statuses == [202] * 10 + [429] * 2


async def test_send_total_requests_that_send_nothing_are_not_counted(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1", limit_send_total="5/hour") as auth:
        for number in range(10):
            asked = await post(
                auth,
                "/forgot-password",
                address=f"203.0.{number}.1",
                email=f"nobody{number}@example.com",
            )
            assert asked.status == 202
        assert (await auth.request_code(MOBILE)).status == 202


@pytest.mark.parametrize("held", [True, False])
async def test_range_breaker_concealed_hides_holders(
    serving_auth: Callable[..., Any], *, held: bool
) -> None:
    """Where the range's limit is full, the code that would make it fifty is noted for nobody."""
    limits = {"limit_send_per_prefix": "60/hour", "trusted_proxies": "127.0.0.1"}
    async with serving_auth() as open_auth:
        if held:
            await activate(open_auth, mobile=MOBILE)
    async with serving_auth(account_disclosure="conceal", **limits) as auth:

        async def ask(number: str, address: str) -> int:
            return (await post(auth, "/forgot-password", mobile=number, address=address)).status

        for number in range(49):
            assert await ask(f"+9198765{number:05}", f"10.0.{number // 3}.1") == 202
        for number in range(11):  # from one network, which is noted no more
            assert await ask(f"+9198766{number:05}", f"10.0.0.{2 + number}") == 202
        assert await ask(MOBILE, "198.51.100.1") == 202
        assert await ask("+919876577777", "192.0.2.1") == 202
