"""From the queue to the provider: Twilio's real SDK against a stand-in on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import BasicAuth, web
from redis.asyncio import Redis

from auth_service.delivery.model import GROUP, STREAM
from tests.support.clock import MovableClock
from tests.support.waiting import until

NUMBER = "+919876543210"
ACCOUNT = "AC" + "0" * 32


@dataclass
class TwilioStandIn:
    """Answers as Twilio does, with the statuses that the test lines up."""

    statuses: list[int] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append({k: str(v) for k, v in (await request.post()).items()})
        self.logins.append(request.headers.get("Authorization"))
        status = self.statuses.pop(0) if self.statuses else 201
        if status == 0:
            await asyncio.sleep(30)
        if status >= 400:
            return web.json_response({"code": 20500, "message": "no"}, status=status)
        return web.json_response({"sid": "SM" + "0" * 32, "status": "queued"}, status=status)


@pytest.fixture
async def twilio(serving: Callable[[web.Application], Any]) -> AsyncIterator[tuple[Any, str]]:
    stand_in = TwilioStandIn()
    app = web.Application()
    app.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", stand_in.take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield stand_in, f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
def through_twilio(serving_auth: Callable[..., Any], twilio: tuple[Any, str]) -> Any:
    return lambda **changes: serving_auth(
        sms_providers="twilio",
        twilio_account_sid=ACCOUNT,
        twilio_auth_token="a-token",
        twilio_phone_number="+15005550006",
        twilio_base_url=twilio[1],
        **changes,
    )


async def _received(stand_in: TwilioStandIn, count: int, seconds: float = 8) -> None:
    async def enough() -> bool:
        return len(stand_in.requests) >= count

    await until(enough, seconds)


async def test_a_code_goes_out_through_twilio(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str]
) -> None:
    stand_in, _ = twilio
    async with through_twilio() as auth:
        sent = await auth.ask(NUMBER)
        await _received(stand_in, 1)
        [request] = stand_in.requests
        assert request["To"] == NUMBER
        assert request["From"] == "+15005550006"
        code = request["Body"][:6]
        assert request["Body"] == (
            f"{code} is your Cheershare code. It is valid for 5 minutes. Never share it."
        )
        assert BasicAuth.decode(stand_in.logins[0] or "").login == ACCOUNT
        assert (await auth.enter(NUMBER, code, sent.body["challenge"])).status == 201


async def test_the_answer_does_not_wait_for_the_provider(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str]
) -> None:
    stand_in, _ = twilio
    stand_in.statuses = [0]
    async with through_twilio() as auth:
        async with asyncio.timeout(1):
            assert (await auth.ask(NUMBER)).status == 202
        await _received(stand_in, 2)  # after its 2 s the first try is given up


@pytest.mark.parametrize("status", [500, 429])
async def test_a_failing_provider_is_tried_again(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str], redis: Redis, status: int
) -> None:
    stand_in, _ = twilio
    stand_in.statuses = [status]
    async with through_twilio() as auth:
        await auth.ask(NUMBER)
        await _received(stand_in, 2)

        async def off_the_queue() -> bool:
            return await redis.xlen(STREAM) == 0

        await until(off_the_queue)
        pending: Any = await redis.xpending(STREAM, GROUP)
        assert pending["pending"] == 0


async def test_a_message_refused_for_good_is_not_repeated(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str], redis: Redis
) -> None:
    stand_in, _ = twilio
    stand_in.statuses = [400]
    async with through_twilio() as auth:
        await auth.ask(NUMBER)

        async def off_the_queue() -> bool:
            return bool(stand_in.requests) and await redis.xlen(STREAM) == 0

        await until(off_the_queue)
        await auth.ask("+919876543211")
        await _received(stand_in, 2)
        assert [request["To"] for request in stand_in.requests] == [NUMBER, "+919876543211"]


async def test_nothing_is_sent_after_its_life(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str], redis: Redis, clock: MovableClock
) -> None:
    stand_in, _ = twilio
    stand_in.statuses = [500]
    async with through_twilio() as auth:
        await auth.ask(NUMBER)
        await _received(stand_in, 1)
        clock.advance(seconds=301)

        async def off_the_queue() -> bool:
            return await redis.xlen(STREAM) == 0

        await until(off_the_queue)
        assert len(stand_in.requests) == 1


async def test_nothing_secret_is_readable_in_redis(
    through_twilio: Any, twilio: tuple[TwilioStandIn, str], redis: Redis
) -> None:
    stand_in, _ = twilio
    stand_in.statuses = [500] * 20
    async with through_twilio() as auth:
        sent = await auth.ask(NUMBER, "Asha Rao")
        await _received(stand_in, 1)
        code = stand_in.requests[0]["Body"][:6]
        secrets = [code, NUMBER, NUMBER[1:], "Asha Rao", sent.body["challenge"]]
        kept = b""
        async for key in redis.scan_iter():
            kept += key + b"\n" + (await redis.dump(key) or b"") + b"\n"
        assert kept
        assert [secret for secret in secrets if secret.encode() in kept] == []
