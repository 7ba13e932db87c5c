"""One client connection: a clock on its headers, problem+json for parser errors, an orderly end."""

import asyncio
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from shared.errors import DomainError, HeadersTooLarge, InternalError, MalformedRequest
from shared.problem import SECURITY_HEADERS, problem_response

HEADER_SECONDS = 10
BLANK_LINE = b"\r\n\r\n"
log = structlog.get_logger()


class HttpConnection(web.RequestHandler):
    """aiohttp's connection, closed when a request's header takes more than 10 s to arrive.

    aiohttp itself waits for ever for the end of a first header. For that of a later one it waits
    as long as an idle connection may last. A few thousand slow sockets would exhaust it. The clock
    stops while a request is in hand, since its client may be waiting for the answer.
    """

    __slots__ = (
        "_deadline",
        "_docs",
        "_ends_blank",
        "_finishing",
        "_header_begun",
        "_header_due",
        "_header_timer",
    )

    def __init__(self, server: web.Server, *, docs: str, **kwargs: Any) -> None:
        """Take the place of `server`'s own handler; `docs` is where error codes are explained."""
        super().__init__(server, **kwargs)
        self._docs = docs
        self._ends_blank = False
        self._header_due: float | None = None
        self._header_timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.Timeout | None = None
        self._header_begun = False
        self._finishing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock with the connection: a silent one ends as a slow one does."""
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        """Start the clock where a request's header begins, and stop it where the header ends.

        The parser does not say whether a header has begun. So it is given the last byte by itself:
        where that byte completes a request, nothing has begun after it.
        """
        requests, before = self._request_count, self._parsed()
        if data:
            self._ends_blank = data.endswith(BLANK_LINE)
        if not data or self._ends_blank or self._upgraded or self._is_within_body(data):
            super().data_received(data)  # nothing: what the parser has kept back until now
            begun = not self._ends_blank
        else:
            super().data_received(data[:-1])
            before = self._parsed()
            super().data_received(data[-1:])
            begun = before == self._parsed()
        if not data and before == self._parsed():
            return
        if self._request_count > requests:
            self._header_due = None
        self._note_header(begun=begun)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the clock."""
        self._header_due = None
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    def _parsed(self) -> tuple[int, bool]:
        """Return how many requests have come, and whether the body of the last one is whole."""
        if self._messages:
            return self._request_count, self._messages[-1][1].is_eof()
        request = self._current_request
        return self._request_count, request is None or request.content.is_eof()

    def _is_within_body(self, data: bytes) -> bool:
        """Tell whether a body of known length goes on after `data`: an upload needs no copy."""
        request = self._current_request
        if request is None or self._messages or request.content.is_eof():
            return False
        return (request.content_length or 0) - request.content.total_bytes > len(data)

    def _note_header(self, *, begun: bool) -> None:
        _, body_is_whole = self._parsed()
        self._header_begun = begun and body_is_whole
        if not self._header_begun:
            self._header_due = None
        elif self._header_due is None:
            self._expect_header()

    def _is_in_hand(self) -> bool:
        """Tell whether a request is handled, answered, or read to its end after its answer."""
        return self._waiter is None or self._waiter.done()

    def limit(self, deadline: asyncio.Timeout | None) -> None:
        """Remember which deadline the request in hand has, so that `give_up` can bring it forward.

        None once the request has left it.
        """
        self._deadline = deadline

    def finish(self) -> None:
        """Answer the request that is here or arriving, take no other one, and close.

        aiohttp's `close` would also drop what still arrives of a body.
        """
        self._finishing = True
        self.keep_alive(False)
        if not (self._is_in_hand() or self._header_begun):
            self.force_close()

    def give_up(self) -> None:
        """Have the request in hand answered now: its time is over."""
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def _expect_header(self) -> None:
        loop = asyncio.get_running_loop()
        self._header_due = loop.time() + HEADER_SECONDS
        if self._header_timer is None:
            self._header_timer = loop.call_at(self._header_due, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """Close when a header is overdue. One timer serves many requests, which come faster."""
        loop = asyncio.get_running_loop()
        self._header_timer = None
        if self._header_due is None:
            return
        if self._is_in_hand():
            self._expect_header()
        elif loop.time() >= self._header_due:
            self.force_close()
        else:
            self._header_timer = loop.call_at(self._header_due, self._look_at_clock)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request, so it goes nowhere
    ) -> web.StreamResponse:
        """Answer what never reached a handler, quoting nothing of it.

        Raises:
            ConnectionError: an answer has begun; all that is left is to hang up.
        """
        if request.writer.output_size:
            raise ConnectionError
        error: DomainError = MalformedRequest()
        if isinstance(exc, LineTooLong):
            error = HeadersTooLarge()
        elif status >= web.HTTPInternalServerError.status_code:
            error = InternalError()
            log.error("request.failed", exc_info=exc)
        return self._refuse(request, error)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; aiohttp's own, raised where no middleware is, becomes a problem.

        That is an `Expect` other than `100-continue`, which it would quote.
        """
        if isinstance(resp, web.HTTPException):
            resp = self._refuse(request, MalformedRequest())
        if self._upgraded and self._message_tail:  # an upgrade is declined: its tail is parsed now
            self._note_header(begun=not self._message_tail.endswith(BLANK_LINE))
        if self._finishing:
            resp.force_close()
        sent = await super().finish_response(request, resp, start_time)
        if self._finishing:  # it may have begun meanwhile
            resp.force_close()
        return sent

    def _refuse(self, request: web.BaseRequest, error: DomainError) -> web.Response:
        log.info("request.refused", status=error.status, refusal=error.code, remote=request.remote)
        response = problem_response(error, self._docs, "-")
        response.headers.update(SECURITY_HEADERS)
        response.headers["Server"] = "cheershare"  # else aiohttp names itself and its version
        response.force_close()
        return response
