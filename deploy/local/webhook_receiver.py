"""The demo's receiver of webhooks, on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

HOST = "127.0.0.1"


class WebhookReceiver:
    """Keeps what arrives until it is read; an app's own receiver answers 400 to a forged one."""

    def __init__(self) -> None:
        self.url = ""
        self._arrived: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 204."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        self._arrived.put_nowait((await request.text(), headers))
        return web.Response(status=204)

    async def read(self, secret: str) -> dict[str, Any]:
        """Return the next message, once its signature is verified.

        Raises:
            WebhookVerificationError: it is forged.
        """
        body, headers = await self._arrived.get()
        Webhook(secret).verify(body, headers)
        message: dict[str, Any] = json.loads(body)
        return message


@asynccontextmanager
async def open_webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    """Yield a receiver that listens on a free port of loopback until the block ends."""
    receiver = WebhookReceiver()
    app = web.Application()
    app.router.add_post("/", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        receiver.url = f"http://{HOST}:{runner.addresses[0][1]}/"
        yield receiver
    finally:
        await runner.cleanup()
