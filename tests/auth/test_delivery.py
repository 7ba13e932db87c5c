"""From the queue to the provider: the real SDK and a real webhook against stand-ins."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import BasicAuth
from redis.asyncio import Redis
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from auth_service.cli import main
from auth_service.delivery.model import DEAD_LETTERS, GROUP, STREAM
from tests.auth.conftest import WEBHOOK_SECRET
from tests.conftest import ISSUER
from tests.support.clock import MovableClock
from tests.support.providers import (
    ACCOUNT,
    GARBAGE,
    HANG_UP,
    SILENCE,
    FakeProvider,
)
from tests.support.waiting import until

FORM = "application/x-www-form-urlencoded; charset=punycode"
NUMBER = "+919876543210"


async def _queue_is_empty(redis: Redis) -> None:
    async def empty() -> bool:
        return await redis.xlen(STREAM) == 0

    await until(empty, 8)
    pending: Any = await redis.xpending(STREAM, GROUP)
    assert pending["pending"] == 0


async def _read_dead_letters(redis: Redis) -> list[dict[str, Any]]:
    letters: Any = await redis.lrange(DEAD_LETTERS, 0, -1)
    return [json.loads(letter) for letter in letters]


async def test_twilio_sends_code_and_code_signs_in(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    async with serving_with("twilio") as auth:
        sent = await auth.request_code(NUMBER)
        [message] = await twilio.received(1)
        assert (message["To"], message["From"]) == (NUMBER, "+15005550006")
        code = message["Body"][:6]
        assert message["Body"] == (
            f"{code} is your Cheershare code. It is valid for 5 minutes. Never share it."
        )
        login = BasicAuth.decode(twilio.requests[0].headers["Authorization"]).login
        assert login == ACCOUNT
        assert (await auth.enter_code(NUMBER, code, sent.body["challenge"])).status == 201
        await _queue_is_empty(redis)


async def test_webhook_message_is_signed(
    serving_with: Callable[..., Any], webhook: FakeProvider
) -> None:
    async with serving_with("webhook") as auth:
        await auth.request_code(NUMBER)
        [message] = await webhook.received(1)
        headers = dict(webhook.requests[0].headers)
        Webhook(WEBHOOK_SECRET).verify(webhook.bodies[0], headers)
        assert message["id"] == headers["webhook-id"]


async def test_signup_silent_provider_is_answered_at_once(
    serving_with: Callable[..., Any], twilio: FakeProvider
) -> None:
    twilio.always = SILENCE
    async with serving_with("twilio") as auth:
        assert (await auth.request_code(NUMBER)).status == 202
        # The provider is silent for 30 seconds, and has not been given up yet.
        assert (await twilio.received(1))[0]["answer"] == str(SILENCE)


@pytest.mark.parametrize("fault", [SILENCE, HANG_UP, GARBAGE])
async def test_delivery_unknown_outcome_asks_next_provider_and_never_again(
    serving_with: Callable[..., Any],
    twilio: FakeProvider,
    webhook: FakeProvider,
    redis: Redis,
    fault: int,
) -> None:
    twilio.always = fault
    async with serving_with("twilio", "webhook") as auth:
        await auth.request_code(NUMBER)
        [message] = await webhook.received(1, seconds=5)
        assert message["to"] == NUMBER
        await _queue_is_empty(redis)
        assert len(twilio.messages) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_delivery_temporary_refusal_asks_next_provider(
    serving_with: Callable[..., Any], twilio: FakeProvider, webhook: FakeProvider, status: int
) -> None:
    twilio.always = status
    async with serving_with("twilio", "webhook") as auth:
        await auth.request_code(NUMBER)
        await webhook.received(1, seconds=2)
        assert len(twilio.messages) == 1


async def test_delivery_only_provider_temporary_failures_are_retried(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    twilio.answers = [500, 503]
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await twilio.received(3)
        await _queue_is_empty(redis)
        assert await _read_dead_letters(redis) == []


async def test_delivery_retry_after_of_provider_is_honoured(
    serving_with: Callable[..., Any], twilio: FakeProvider
) -> None:
    twilio.answers, twilio.headers = [429], {"Retry-After": "2"}
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await twilio.received(1)
        started = asyncio.get_running_loop().time()
        await twilio.received(2)
        assert asyncio.get_running_loop().time() - started >= 1.8


async def test_delivery_permanent_refusal_becomes_dead_letter(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    twilio.always = 400
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await _queue_is_empty(redis)
        [letter] = await _read_dead_letters(redis)
        assert letter["reasons"] == {"twilio": "twilio answered 400, code 20500"}
        assert len(twilio.messages) == 1


@pytest.mark.usefixtures("command_environment")
async def test_dead_letter_commands_list_and_retry_once(
    serving_with: Callable[..., Any],
    twilio: FakeProvider,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await _queue_is_empty(redis)
        assert await asyncio.to_thread(main, ["deliveries", "dead"]) == 0
        [line] = [x for x in capsys.readouterr().out.splitlines() if x.startswith("{")]
        shown = json.loads(line)
        assert shown["to"] == "…10"
        assert shown["template"] == "code"
        assert await asyncio.to_thread(main, ["deliveries", "retry", shown["id"]]) == 0
        first, second = await twilio.received(2)
        assert first["Body"] == second["Body"]
        assert await asyncio.to_thread(main, ["deliveries", "retry", shown["id"]]) == 1


async def test_delivery_expired_during_retries_becomes_dead_letter(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis, clock: MovableClock
) -> None:
    twilio.always = 500
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await twilio.received(1)
        clock.advance(seconds=301)
        await _queue_is_empty(redis)
        count = len(twilio.messages)
        [letter] = await _read_dead_letters(redis)
        assert letter["reasons"]["life"] == "not sent within its life"
        assert count == len(twilio.messages) <= 2


async def test_delivery_expired_in_queue_is_never_sent(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis, clock: MovableClock
) -> None:
    async with serving_with("twilio", delivery_worker=False) as auth:
        await auth.request_code(NUMBER)
        assert await redis.xlen(STREAM) == 1
    clock.advance(seconds=301)
    async with serving_with("twilio"):
        await _queue_is_empty(redis)
    assert twilio.messages == []
    [letter] = await _read_dead_letters(redis)
    assert letter["reasons"] == {"life": "not sent within its life"}


async def test_delivery_queue_in_redis_holds_no_readable_secret(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    twilio.always = 500
    async with serving_with("twilio") as auth:
        sent = await auth.request_code(NUMBER, "Asha Rao")
        [message, *_] = await twilio.received(1)
        secrets = [message["Body"][:6], NUMBER, NUMBER[1:], "Asha Rao", sent.body["challenge"]]
        kept = b""
        async for key in redis.scan_iter():
            kept += key + b"\n" + (await redis.dump(key) or b"") + b"\n"
        assert kept
        assert [secret for secret in secrets if secret.encode() in kept] == []


async def test_delivery_funnel_counts_each_stage(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    async with serving_with("twilio") as auth:
        sent = await auth.request_code(NUMBER)
        [message] = await twilio.received(1)
        await _queue_is_empty(redis)
        await auth.enter_code(NUMBER, message["Body"][:6], sent.body["challenge"])
        form = {"MessageStatus": "delivered", "To": NUMBER, "MessageSid": "SM1"}
        url = f"{ISSUER}/v1/auth/callbacks/twilio"
        signature = RequestValidator("a-token").compute_signature(url, form)
        for headers, status in (({"X-Twilio-Signature": signature}, 204), ({}, 403)):
            answer = await auth.call("POST", "/callbacks/twilio", data=form, headers=headers)
            assert answer.status == status
        async with auth.http.get("/metrics") as metrics:
            text = await metrics.text()
    for stage in ("requested", "accepted", "delivered", "verified"):
        line = f'messages_total{{channel="sms",country="IN",stage="{stage}"}} 1.0'
        assert line in text, stage


async def test_sign_in_new_device_notifies_user(auth: Any) -> None:
    phone, laptop = {"User-Agent": "Phone/1"}, {"User-Agent": "Laptop/1"}
    await auth.sign_in(NUMBER, headers=phone)
    await auth.sign_in(NUMBER, headers=phone)
    assert len(await auth.inbox(NUMBER)) == 2  # the codes
    await auth.sign_in(NUMBER, headers=laptop)

    async def told() -> bool:
        return len(await auth.inbox(NUMBER)) == 4

    await until(told)
    assert "New sign-in" in (await auth.inbox(NUMBER))[0]["text"]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"\xff=1", 403),
        ("application/x-www-form-urlencoded; charset=punycode", b"a-" + b"a9" * 250_000, 403),
        ("application/json", b"{}", 403),
    ],
)
async def test_twilio_callback_unsigned_is_refused_unread(
    serving_with: Callable[..., Any], content_type: str, body: bytes, status: int
) -> None:
    async with serving_with("twilio") as auth:
        headers = {"Content-Type": content_type}
        answer = await auth.call("POST", "/callbacks/twilio", data=body, headers=headers)
        assert answer.status == status


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        (FORM, b"\xff=1", 400),
        (FORM, b"a=1&" * 200, 400),
        (FORM, b"x" * 70_000, 413),
        (FORM, b"To=1", 422),
        ("application/json", b"{}", 415),
    ],
)
async def test_twilio_callback_malformed_body_is_refused(
    serving_with: Callable[..., Any], content_type: str, body: bytes, status: int
) -> None:
    async with serving_with("twilio") as auth:
        headers = {"Content-Type": content_type, "X-Twilio-Signature": "made up"}
        answer = await auth.call("POST", "/callbacks/twilio", data=body, headers=headers)
        assert (answer.status, answer.body["status"]) == (status, status)


async def test_twilio_callback_signed_by_another_key_is_403(
    serving_with: Callable[..., Any],
) -> None:
    form = {"MessageStatus": "delivered", "To": NUMBER, "MessageSid": "SM1"}
    url = f"{ISSUER}/v1/auth/callbacks/twilio"
    forged = {"X-Twilio-Signature": RequestValidator("another").compute_signature(url, form)}
    async with serving_with("twilio") as auth:
        answer = await auth.call("POST", "/callbacks/twilio", data=form, headers=forged)
        assert answer.status == 403
