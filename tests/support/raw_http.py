"""HTTP as raw bytes, for requests that no client library would send."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession
from multidict import CIMultiDict

from tests.support.auth_client import Answer, read


def parse(raw: bytes) -> Answer:
    """The one answer that a connection gave."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(": ") for line in lines]
    headers = CIMultiDict([(name, value) for name, _, value in pairs])
    return Answer(int(status.split()[1]), headers, json.loads(body) if body else None)


@dataclass(frozen=True)
class SmallService:
    """A client of the small service, with and without an HTTP library."""

    http: ClientSession
    address: str

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        async with self.http.request(method, "/v1/small" + path, **options) as response:
            return await read(response)

    async def post(self, body: bytes, **headers: str) -> Answer:
        given = {"Content-Type": "application/json"} | headers
        return await self.call("POST", "/things", data=body, headers=given)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = urlsplit(self.address)
        return await asyncio.open_connection(url.hostname, url.port)

    async def raw(self, *pieces: bytes, seconds: float = 5) -> bytes:
        """Send bytes as they are; return everything until the server closes.

        It fails when the server has not closed after `seconds`.
        """
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(seconds):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                return await reader.read()
        except TimeoutError:
            raise AssertionError("the server does not close the connection") from None
        finally:
            writer.close()

    async def one(self, *pieces: bytes) -> Answer:
        """Send bytes as they are; return the one answer."""
        return parse(await self.raw(*pieces))
