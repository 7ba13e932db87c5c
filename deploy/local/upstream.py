"""Forward a request to a service's Unix socket, and stream its response back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from deploy.local.proxy_headers import end_to_end_headers, upstream_headers
from shared.errors import DomainError
from shared.http_connection import HttpConnection, ask_for_body

CHUNK_BYTES = 64 * 1024
# A service's own deadlines are shorter; this one is for a service that hangs.
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=180)
IDLE_SECONDS = 30  # less than a service's own limit, so that no request meets a closing connection
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class BadGateway(DomainError):
    """The service does not listen, or closed the connection without an answer."""

    code, status, title = "bad_gateway", 502, "The service behind this address does not answer"


class GatewayTimeout(DomainError):
    """The service has the whole request and sends no answer."""

    code, status, title = "gateway_timeout", 504, "The service behind this address takes too long"


class Upstream:
    """A client for the service behind one Unix socket; an async context manager."""

    def __init__(self, socket: Path) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket), limit=0, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),  # cookies belong to clients
            timeout=TIMEOUT,
            auto_decompress=False,
            skip_auto_headers=AUTOMATIC,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def is_ready(self) -> bool:
        """Return whether the service's `/readyz` answers 200."""
        try:
            async with self._session.get("http://service/readyz") as answer:
                return answer.status == web.HTTPOk.status_code
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Forward `request` and stream the answer back; neither is ever held in memory as a whole.

        An answer that arrives while the client still sends ends the sending.

        Raises:
            BadGateway, GatewayTimeout: the service sent no answer.
        """
        try:
            answer = await self._session.request(
                request.method,
                # not normalized: the service must see a path that it would refuse
                URL(f"http://service{request.rel_url.raw_path_qs}", encoded=True),
                headers=upstream_headers(request),
                data=_stream_body(request) if request.body_exists else None,
                expect100=_awaits_continue(request),
                allow_redirects=False,
            )
        except TimeoutError:
            raise GatewayTimeout from None
        except (aiohttp.ClientError, ValueError):  # ValueError: an invalid header
            raise BadGateway from None
        async with answer:
            return await _stream_response(request, answer)


def _awaits_continue(request: web.Request) -> bool:
    connection = request.protocol
    awaits = isinstance(connection, HttpConnection) and connection.awaits_continue
    return awaits and request.body_exists


async def _stream_body(request: web.Request) -> AsyncIterator[bytes]:
    await ask_for_body(request)  # the service has just done the same
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        yield chunk


async def _stream_response(
    request: web.Request, answer: aiohttp.ClientResponse
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=end_to_end_headers(answer.headers)
    )
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
            await response.write(chunk)
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError):
        # Abort, so that the client does not take half an answer for the whole one.
        if request.transport is not None:
            request.transport.abort()
    return response
