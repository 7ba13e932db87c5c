"""A client connection with a header time-out, problem+json errors and an orderly shutdown."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import LineTooLong
from multidict import CIMultiDict, CIMultiDictProxy

from shared.body_drain import BRIEF_SECONDS, BodyDrain, DrainCounter
from shared.errors import DomainError, HeadersTooLarge, InternalError, MalformedRequest
from shared.problem import SECURITY_HEADERS, problem_response

HEADER_SECONDS = 10
BLANK_LINE = b"\r\n\r\n"
log = structlog.get_logger()


class HttpConnection(web.RequestHandler):
    """aiohttp's connection, closed when a request's header takes more than 10 s to arrive.

    aiohttp itself waits for ever for the end of the first header, and as long as an idle connection
    may last for a later one. A few thousand slow sockets would exhaust it. The timer stops while a
    request is handled, since its client may be waiting for the answer.
    """

    __slots__ = (
        "_deadline",
        "_docs",
        "_drain",
        "_drained_request",
        "_ends_with_blank_line",
        "_finishing",
        "_header_begun",
        "_header_due",
        "_header_timer",
        "awaits_continue",
    )

    def __init__(
        self, server: web.Server, *, docs: str, drain_counter: DrainCounter, **kwargs: Any
    ) -> None:
        """Replace `server`'s own handler; `docs` is the path of the page about error codes."""
        super().__init__(server, lingering_time=0, **kwargs)
        self._request_factory = functools.partial(_make_request, server.request_factory)
        self.awaits_continue = False
        self._drain = BodyDrain(drain_counter)
        self._drained_request: web.BaseRequest | None = None
        self._docs = docs
        self._ends_with_blank_line = False
        self._header_due: float | None = None
        self._header_timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.Timeout | None = None
        self._header_begun = False
        self._finishing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer: a silent connection ends as a slow one does."""
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        """Start the timer where a request's header begins, and stop it where the header ends.

        The parser does not say whether a header has begun. So it is given the last byte by itself:
        where that byte completes a request, nothing has begun after it.
        """
        requests, before = self._request_count, self._parser_state()
        if data:
            self._ends_with_blank_line = data.endswith(BLANK_LINE)
        if (
            not data
            or self._ends_with_blank_line
            or self._upgraded
            or self._body_continues_after(data)
        ):
            super().data_received(data)  # empty data releases what the parser has kept back
            begun = not self._ends_with_blank_line
        else:
            super().data_received(data[:-1])
            before = self._parser_state()
            super().data_received(data[-1:])
            begun = before == self._parser_state()
        if not data and before == self._parser_state():
            return
        if self._request_count > requests:
            self._header_due = None
        self._update_header_timer(begun=begun)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the timer and the drain."""
        self._header_due = None
        self._drain.end_within(0)
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    @property
    def _unread_request(self) -> web.BaseRequest | None:
        return self._current_request or self._drained_request

    def _parser_state(self) -> tuple[int, bool]:
        """Return the number of requests, and whether the body of the last one is complete."""
        if self._messages:
            return self._request_count, self._messages[-1][1].is_eof()
        request = self._unread_request
        return self._request_count, request is None or request.content.is_eof()

    def _body_continues_after(self, data: bytes) -> bool:
        """Return whether a body of known length continues after `data`; an upload needs no copy."""
        request = self._unread_request
        if request is None or self._messages or request.content.is_eof():
            return False
        return (request.content_length or 0) - request.content.total_bytes > len(data)

    def _update_header_timer(self, *, begun: bool) -> None:
        _, body_is_whole = self._parser_state()
        self._header_begun = begun and body_is_whole
        if not self._header_begun:
            self._header_due = None
        elif self._header_due is None:
            self._expect_header()

    def _is_busy(self) -> bool:
        """Return whether a request is being handled, answered, or drained after its answer."""
        return self._waiter is None or self._waiter.done()

    def set_deadline(self, deadline: asyncio.Timeout | None) -> None:
        """Set or unset the deadline of the open request, for `expire_request`."""
        self._deadline = deadline

    def finish(self) -> None:
        """Answer the open or arriving request, accept no other one, and close.

        aiohttp's `close` would also drop what still arrives of a body.
        """
        if not self._finishing:
            self._drain.end_within(BRIEF_SECONDS)
        self._finishing = True
        self.keep_alive(False)
        if not (self._is_busy() or self._header_begun):
            self.force_close()

    def expire_request(self) -> None:
        """End the open request's time: it is answered now."""
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def _expect_header(self) -> None:
        loop = asyncio.get_running_loop()
        self._header_due = loop.time() + HEADER_SECONDS
        if self._header_timer is None:
            self._header_timer = loop.call_at(self._header_due, self._check_header_timer)

    def _check_header_timer(self) -> None:
        """Close when a header is overdue. One timer serves many requests."""
        loop = asyncio.get_running_loop()
        self._header_timer = None
        if self._header_due is None:
            return
        if self._is_busy():
            self._expect_header()
        elif loop.time() >= self._header_due:
            self.force_close()
        else:
            self._header_timer = loop.call_at(self._header_due, self._check_header_timer)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Answer a request that never reached a handler, quoting nothing of it.

        Raises:
            ConnectionError: an answer has begun, so the connection must close.
        """
        if request.writer.output_size:
            raise ConnectionError
        error: DomainError = MalformedRequest()
        if isinstance(exc, LineTooLong):
            error = HeadersTooLarge()
        elif status >= web.HTTPInternalServerError.status_code:
            error = InternalError()
            log.error("request.failed", exc_info=exc)
        return self._make_problem(request, error)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, then drop the rest of a body that no handler has read.

        aiohttp's own answer, raised where no middleware is, becomes a problem. That is an `Expect`
        other than `100-continue`, which it would quote.
        """
        if isinstance(resp, web.HTTPException):
            resp = self._make_problem(request, MalformedRequest())
        if self._upgraded and self._message_tail:  # the declined upgrade's tail
            self._update_header_timer(begun=not self._message_tail.endswith(BLANK_LINE))
        if self._finishing:
            resp.force_close()
        sent, client_left = await super().finish_response(request, resp, start_time)
        if not (client_left or request.content.is_eof()):
            self._drained_request = request
            await self._drain.drain(request.content, brief=self._finishing)
            self._drained_request = None
        if self._finishing:  # the shutdown may have begun meanwhile
            resp.force_close()
        return sent, client_left

    def _make_problem(self, request: web.BaseRequest, error: DomainError) -> web.Response:
        log.info("request.refused", status=error.status, refusal=error.code, remote=request.remote)
        response = problem_response(error, self._docs, "-")
        response.headers.update(SECURITY_HEADERS)
        response.headers["Server"] = "cheershare"  # aiohttp would name itself and its version
        response.force_close()
        return response


def _make_request(
    make: Callable[..., web.BaseRequest], message: Any, *more: Any
) -> web.BaseRequest:
    """Return the request without `Expect: 100-continue`, to which aiohttp replies too early.

    aiohttp would ask for the body before the handler may refuse it. `ask_for_body` does it later.
    """
    connection: HttpConnection = more[1]
    given = message.headers.get("Expect", "").lower()
    connection.awaits_continue = given == "100-continue" and message.version >= HttpVersion11
    if connection.awaits_continue:
        headers = CIMultiDict(message.headers)
        del headers["Expect"]
        message = message._replace(headers=CIMultiDictProxy(headers))
    return make(message, *more)


async def ask_for_body(request: web.BaseRequest) -> None:
    """Send `100 Continue` if the client waits for it. Call it before the first read of a body."""
    connection = request.protocol
    if isinstance(connection, HttpConnection) and connection.awaits_continue:
        connection.awaits_continue = False
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


async def announce_close(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Say `Connection: close` where this connection can take no other request; a signal handler.

    Behind a body that no handler has read, the client may stop anywhere (RFC 9110 §10.1.1). Behind
    an `Upgrade` that aiohttp does not know, such as `h2c`, its parser drops what it has received.
    """
    upgrade = request.headers.get("Upgrade", "websocket").lower()
    if upgrade != "websocket" or not request.content.is_eof():
        response.headers["Connection"] = "close"
        response.force_close()
