"""Sends webhooks: one attempt, bounded in time and in the response that it reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
)

from shared.clock import Clock
from shared.webhooks.connection import BoundedConnector, new_tls_context
from shared.webhooks.destination import AddressRefused, DestinationPolicy
from shared.webhooks.model import Attempt, AttemptError, WebhookMessage
from shared.webhooks.outcome import parse_retry_after
from shared.webhooks.resolver import ThreadedResolver
from shared.webhooks.signature import sign

EXCERPT_BYTES, EXCERPT_SECONDS = 1024, 2
"""What is kept of a response's body: the status has decided before."""
HEADERS = {
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": "Cheershare-Webhooks/1",
}
_ERRORS: dict[type[Exception], AttemptError] = {
    ClientConnectorDNSError: "name_not_resolved",
    ClientSSLError: "tls_failed",
    ClientConnectorError: "connection_failed",
    ClientResponseError: "invalid_response",
    ClientPayloadError: "invalid_response",
    TimeoutError: "timeout",
}


@dataclass(slots=True)
class _Response:
    """The part of a response that has come so far."""

    status: int | None = None
    retry_after: str | None = None
    body: bytearray = field(default_factory=bytearray)

    @property
    def excerpt(self) -> str:
        """Return the body's beginning as text that PostgreSQL stores, which has no NUL."""
        return self.body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Makes attempts; `timeout_seconds` bounds each one whole, from the name's resolution on."""

    http: ClientSession
    policy: DestinationPolicy
    timeout_seconds: float
    clock: Clock

    async def attempt(self, url: str, message: WebhookMessage, secrets: Sequence[str]) -> Attempt:
        """Post a message once and return the result, whatever the receiver does.

        A status that has come decides, even if the rest of the response fails.
        """
        at, began = self.clock.now(), self.clock.monotonic()
        headers = HEADERS | sign(message, secrets, at)
        response, error = _Response(), None
        try:
            async with asyncio.timeout(self.timeout_seconds):
                await self._post(url, message.body, headers, response)
        except (ClientError, OSError) as failure:
            error = _error_of(failure)
        return Attempt(
            at,
            round((self.clock.monotonic() - began) * 1000),
            response.status,
            error if response.status is None else None,
            response.excerpt,
            parse_retry_after(response.retry_after, self.clock.now()),
        )

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str], response: _Response
    ) -> None:
        target = self.policy.require_url(url)
        async with self.http.post(
            target, data=body, headers=headers, allow_redirects=False
        ) as received:
            response.status = received.status
            response.retry_after = received.headers.get("Retry-After")
            async with asyncio.timeout(EXCERPT_SECONDS):
                while missing := EXCERPT_BYTES - len(response.body):
                    chunk = await received.content.read(missing)
                    if not chunk:
                        break
                    response.body += chunk


@contextlib.asynccontextmanager
async def open_sender(
    policy: DestinationPolicy, timeout_seconds: float, clock: Clock, concurrency: int
) -> AsyncIterator[WebhookSender]:
    """Open a sender for so many attempts at once; ends its connections at the end.

    Each attempt has a connection of its own, so that each one is judged, and that no response is
    left over for the next. The environment's proxies are ignored: a proxy would connect for us.
    """
    resolver = ThreadedResolver(policy, concurrency)
    connector = BoundedConnector(
        force_close=True,
        limit=0,  # the caller bounds attempts; one that waits here would spend its time
        resolver=resolver,
        socket_factory=policy.open_socket,
        ssl=await asyncio.to_thread(new_tls_context),  # it reads files
        use_dns_cache=False,
    )
    try:
        async with ClientSession(
            auto_decompress=False,
            connector=connector,
            cookie_jar=DummyCookieJar(),
            read_bufsize=EXCERPT_BYTES,
            timeout=ClientTimeout(total=None, sock_connect=None),
            trust_env=False,
        ) as http:
            yield WebhookSender(http, policy, timeout_seconds, clock)
    finally:
        await resolver.close()


def _error_of(failure: Exception) -> AttemptError:
    """Return the name of a failure; the most special class of aiohttp's is looked for first."""
    cause = failure.os_error if isinstance(failure, ClientConnectorError) else failure
    if isinstance(cause, (AddressRefused, InvalidURL)):
        return "address_refused"
    for kind, name in _ERRORS.items():
        if isinstance(failure, kind):
            return name
    return "connection_lost"
