"""Receives the SMS of the stack as an operator's own webhook does."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PATIENCE_SECONDS = 15


def _queues() -> "defaultdict[str, asyncio.Queue[str]]":
    return defaultdict(asyncio.Queue)


@dataclass
class Codes:
    """The codes that arrived and nobody has read yet, by phone number."""

    address: str = ""
    _arrived: "defaultdict[str, asyncio.Queue[str]]" = field(default_factory=_queues)

    async def receive(self, request: web.Request) -> web.Response:
        message = await request.json()
        if code := CODE.search(message["text"]):
            self._arrived[message["to"]].put_nowait(code[0])
        return web.Response(status=204)

    async def read(self, number: str) -> str:
        """Return the oldest code that arrived for the number and forget it.

        Raises:
            TimeoutError: none arrives.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await self._arrived[number].get()
        if self._arrived[number].empty():
            del self._arrived[number]
        return code


@asynccontextmanager
async def receiving_codes() -> AsyncIterator[Codes]:
    """Listen on loopback inside the block."""
    codes = Codes()
    app = web.Application()
    app.router.add_post("/sms", codes.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    codes.address = f"http://{host}:{port}/sms"
    try:
        yield codes
    finally:
        await runner.cleanup()
