"""One client connection: a clock on its headers, and problem+json for what the parser refuses."""

import asyncio
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from shared.errors import DomainError, HeadersTooLarge, InternalError, MalformedRequest
from shared.problem import SECURITY_HEADERS, problem_response

HEADER_SECONDS = 10
log = structlog.get_logger()


class Connection(web.RequestHandler):
    """aiohttp's connection, closed when a request's headers take more than 10 s to arrive.

    aiohttp itself waits for ever for the end of a header, so that a few thousand idle sockets
    would exhaust it.
    """

    __slots__ = ("_answering", "_docs", "_header_due", "_header_timer")

    def __init__(self, server: web.Server, *, docs: str, **kwargs: Any) -> None:
        """Take the place of `server`'s own handler; `docs` is where error codes are explained."""
        super().__init__(server, **kwargs)
        self._docs = docs
        self._answering = False
        self._header_due: float | None = None
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock with the connection: a silent one ends as a slow one does."""
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        """Start the clock again where a further request begins."""
        if self._header_due is None and not self._answering:
            self._expect_header()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the clock."""
        self._header_due = None
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    def header_complete(self) -> None:
        """Stop the clock: the header is in. Called first thing for every request."""
        self._answering = True
        self._header_due = None

    def answered(self) -> None:
        """Expect the next header. Called last thing for every request."""
        self._answering = False

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
        if loop.time() >= self._header_due:
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
        self.header_complete()
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
        return await super().finish_response(request, resp, start_time)

    def _refuse(self, request: web.BaseRequest, error: DomainError) -> web.Response:
        log.info("request.refused", status=error.status, refusal=error.code, remote=request.remote)
        response = problem_response(error, self._docs, "-")
        response.headers.update(SECURITY_HEADERS)
        response.headers["Server"] = "cheershare"  # else aiohttp names itself and its version
        response.force_close()
        return response
