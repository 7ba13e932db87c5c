"""A small application that does what services do to a proxy."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

MIB = 1024 * 1024
BIG = 30 * MIB
CHUNK = 65536
CHUNKED = b"POST /v1/media/count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
"""How a request to `count` begins whose body has no length."""


@dataclass
class DummyService:
    """One service: what it does, by path, and what it saw."""

    stored: Path
    received: int = 0
    ready: bool = True
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        self.stored.write_bytes(bytes(range(256)) * 1000)
        app = web.Application()
        for handler in (
            self.echo, self.count, self.big, self.half, self.hang, self.leave, self.cookies,
        ):  # fmt: skip
            app.router.add_route("*", f"/v1/media/{handler.__name__}", handler)
        app.router.add_route("*", "/v1/media/refuse", self.refuse, expect_handler=self.forgo)
        app.router.add_get("/v1/media/file", self.file)
        app.router.add_get("/{near:(?i:/*v1/+media/+near)}", self.echo)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.echo)
        app.router.add_get("/.well-known/{name}", self.echo)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "method": request.method,
                "target": request.raw_path,
                "headers": [[name, value] for name, value in request.headers.items()],
                "body": (await request.read()).decode("latin-1"),
            },
            headers={"Connection": "X-Private", "X-Private": "hop", "X-Public": "end"},
        )

    async def count(self, request: web.Request) -> web.Response:
        async for chunk in request.content.iter_any():
            self.received += len(chunk)
        return web.Response(text=str(self.received))

    async def big(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"x"', "Content-Length": str(BIG)})
        await response.prepare(request)
        for _ in range(BIG // CHUNK):
            self.received += CHUNK
            await response.write(bytes(CHUNK))
        return response

    async def half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async def hang(self, _request: web.Request) -> web.Response:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError

    async def leave(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def cookies(self, _request: web.Request) -> web.Response:
        response = web.Response()
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    async def refuse(self, _request: web.Request) -> web.Response:
        return web.json_response({"code": "body_too_large"}, status=413)

    async def forgo(self, _request: web.Request) -> None:
        """Answer without wanting the body."""

    async def file(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.stored)

    async def readyz(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)
