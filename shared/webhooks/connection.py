"""Connections to receivers of webhooks, whose responses are bounded before they are parsed."""

import ssl
from functools import partial
from typing import Any

from aiohttp import ClientPayloadError, TCPConnector
from aiohttp.client_proto import ResponseHandler

MAX_RESPONSE_BYTES = 64 * 1024


class BoundedResponseHandler(ResponseHandler):
    """Parses the first bytes of the one response on a connection, then ends the connection.

    aiohttp bounds neither interim responses nor what surrounds a body's chunks. It parses in one
    step of the loop whatever has come.
    """

    _left = MAX_RESPONSE_BYTES

    def data_received(self, data: bytes) -> None:
        """Parse what is left of the bound."""
        left, self._left = self._left, self._left - len(data)
        if left >= 0:
            super().data_received(data[:left])
            if self._left < 0:
                self._end()

    def _end(self) -> None:
        """End the body where it is; without a head yet, the response is invalid."""
        if self.transport is not None:
            self.transport.abort()
        self.set_exception(ClientPayloadError(f"expected {MAX_RESPONSE_BYTES} bytes at most"))
        payload, self._payload = self._payload, None
        if payload is not None:
            payload.feed_eof()


class BoundedConnector(TCPConnector):
    """Opens connections whose responses are bounded."""

    def __init__(self, **options: Any) -> None:
        """Take aiohttp's options."""
        super().__init__(**options)
        handler: type[ResponseHandler] = BoundedResponseHandler
        self._factory = partial(handler, loop=self._loop)


def new_tls_context() -> ssl.SSLContext:
    """Return the context that verifies receivers; with TLS 1.2 they could renegotiate endlessly."""
    context = ssl.create_default_context()
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context
