"""Notices cost money like codes: they are counted, few for each user, and collapsed."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock

MOBILE, EMAIL, NEWCOMER = "+919876543210", "asha.rao@example.com", "+919876588888"


async def sign_ins_by_password(auth: AuthClient, times: int, *, first: int = 0) -> None:
    """Sign in from ever other devices, as a thief with the password would."""
    for number in range(first, first + times):
        body = {"username": "asha", "password": PASSWORD}
        headers = {"User-Agent": f"Device{number}/1", "X-Forwarded-For": f"203.0.{number}.1"}
        answer = await auth.call("POST", "/login", json=body, headers=headers)
        assert answer.status == 200, answer.body


async def notices(auth: AuthClient, to: str, count: int) -> list[str]:
    """The sign-in notices, the newest first, once there are `count` and a moment has passed."""

    async def found() -> list[str]:
        texts = [str(item["text"]) for item in await auth.inbox(to)]
        return [text for text in texts if "ew sign-in" in text]

    async with asyncio.timeout(10):
        while len(await found()) < count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    texts = await found()
    assert len(texts) == count
    return texts


async def test_sign_in_notices_by_sms_are_sent_three_a_day(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        await activate(auth, mobile=MOBILE, email=EMAIL, username="asha", password=PASSWORD)
        await sign_ins_by_password(auth, 20)
        await notices(auth, MOBILE, 3)
        clock.advance(hours=25)
        await sign_ins_by_password(auth, 1, first=20)
        assert "and 17 others" in (await notices(auth, MOBILE, 4))[0]


async def test_sign_in_notices_prefer_mail_and_collapse(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
        await sign_ins_by_password(auth, 12)
        await notices(auth, EMAIL, 5)
        clock.advance(minutes=61)
        await sign_ins_by_password(auth, 1, first=12)
        assert "since the last such message: 7" in (await notices(auth, EMAIL, 6))[0]


async def test_notices_with_mailbox_limit_filled_by_strangers_are_sent(
    serving_auth: Callable[..., Any],
) -> None:
    """Nor do asks for plus-addresses that nobody has, which send nothing, count for the mailbox."""
    limits = {"limit_send_total_per_destination": "3/hour", "trusted_proxies": "127.0.0.1"}
    async with serving_auth() as open_auth:
        pair = await activate(open_auth, email=EMAIL, username="asha", password=PASSWORD)
    async with serving_auth(**limits) as auth:
        for number in range(5):
            address = f"203.0.113.{number}"
            for to in (f"asha.rao+x{number}@example.com", EMAIL):
                asked = await post(auth, "/forgot-password", address=address, email=to)
                assert asked.status == 202
        await auth.code(EMAIL, 4)  # one to register, and three of these
        before = len(await auth.inbox(EMAIL))
        await sign_ins_by_password(auth, 1)
        body = {"current_password": PASSWORD, "new_password": "battery staple horse"}
        done = await auth.call("POST", "/change-password", json=body, token=pair["access_token"])
        assert done.status == 200
        async with asyncio.timeout(10):
            while len(await auth.inbox(EMAIL)) < before + 2:
                await asyncio.sleep(0.01)


async def test_notices_of_one_kind_are_bounded_per_user(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        pair = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
        before, current = len(await auth.inbox(EMAIL)), PASSWORD
        for number in range(8):
            body = {"current_password": current, "new_password": f"battery staple {number}"}
            done = await auth.call(
                "POST", "/change-password", json=body, token=pair["access_token"]
            )
            assert done.status == 200, done.body
            current = body["new_password"]
        await asyncio.sleep(0.5)
        assert len(await auth.inbox(EMAIL)) == before + 5


async def test_notices_count_for_the_mailboxs_limit(serving_auth: Callable[..., Any]) -> None:
    limits = {"limit_send_total_per_destination": "2/hour", "trusted_proxies": "127.0.0.1"}
    async with serving_auth() as open_auth:
        await activate(open_auth, email=EMAIL, username="asha", password=PASSWORD)
    async with serving_auth(**limits) as auth:
        await sign_ins_by_password(auth, 2)
        asked = await post(auth, "/login", email=EMAIL)
        assert (asked.status, asked.code) == (429, "rate_limited")


async def test_notices_by_sms_count_for_range_and_total(
    serving_auth: Callable[..., Any],
) -> None:
    limits = {"limit_send_per_prefix": "3/hour", "trusted_proxies": "127.0.0.1"}
    async with serving_auth() as open_auth:
        await activate(open_auth, mobile=MOBILE, email=EMAIL, username="asha", password=PASSWORD)
    async with serving_auth(**limits) as auth:
        await sign_ins_by_password(auth, 3)
        assert (await auth.request_code(NEWCOMER)).code == "rate_limited"
        await sign_ins_by_password(auth, 1, first=3)
