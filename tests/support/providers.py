"""A fake message provider at the edge of the world: it answers over HTTP as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.waiting import until

ACCOUNT = "AC" + "0" * 32
SILENCE, HANG_UP, GARBAGE = 0, 1, 2


@dataclass
class FakeProvider:
    """Takes messages as Twilio and as a webhook do.

    `answers`: what is answered next, a status or one of the three faults; 201 when empty.
    `always`: what is answered when `answers` is empty.
    """

    address: str = ""
    always: int = 201
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    async def twilio(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        return await self._answer(request, form, form["To"], form.get("Body", ""))

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(await request.text())
        return await self._answer(request, body, body["to"], body["text"])

    async def _answer(
        self, request: web.Request, raw: dict[str, Any], to: str, text: str
    ) -> web.StreamResponse:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else self.always
        self.messages.append({**raw, "to": to, "text": text, "answer": str(answer)})
        if answer == SILENCE:
            await asyncio.sleep(30)
        if answer == HANG_UP:
            assert request.transport is not None
            request.transport.abort()
        if answer == GARBAGE:
            return web.Response(status=201, text="<html>")
        body = {"sid": "SM" + "0" * 32, "status": "queued", "code": 20500, "message": "no"}
        headers = {**self.headers, "Content-Type": "application/json"}
        return web.Response(status=max(answer, 201), text=json.dumps(body), headers=headers)

    async def received(self, count: int, seconds: float = 8) -> list[dict[str, Any]]:
        """The messages, once there are so many."""

        async def enough() -> bool:
            return len(self.messages) >= count

        await until(enough, seconds)
        return self.messages


@asynccontextmanager
async def open_fake_provider() -> AsyncIterator[FakeProvider]:
    """Serve a fake provider on loopback inside the block."""
    provider = FakeProvider()
    app = web.Application()
    app.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", provider.twilio)
    app.router.add_post("/webhook", provider.webhook)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    provider.address = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        await runner.cleanup()
