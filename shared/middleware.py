"""Middleware of every request: id, log line, metrics, headers, errors, sign-in and deadline."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from difflib import get_close_matches

import structlog
from aiohttp import web

from shared.alarm import Alarm
from shared.cors import cors_headers
from shared.entropy import Entropy
from shared.errors import (
    DomainError,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    ServiceUnavailable,
)
from shared.http_connection import HttpConnection
from shared.logs import describe_error
from shared.openapi import HANDLER_SECONDS, Handler, Operation
from shared.problem import DEVELOPMENT, DOCS, REQUEST_ID, SECURITY_HEADERS, problem_response
from shared.telemetry import HttpMetrics

log = structlog.get_logger()
PROBES = {"/healthz", "/readyz", "/metrics"}  # asked every second: logged at debug level
OPERATIONS = web.AppKey("operations", dict[Handler, Operation])
ENTROPY: web.AppKey[Entropy] = web.AppKey("entropy")
STORAGE_ALARM = web.AppKey("storage_alarm", Alarm)
HTTP_METRICS = web.AppKey("http_metrics", HttpMetrics)
AUTHENTICATE: web.AppKey[Callable[[web.Request], Awaitable[None]]] = web.AppKey("authenticate")
"""The service's own check: stores the caller's identity on the request, or raises."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CREDENTIAL_HEADERS = ("Authorization", "Cookie")
_MIN_SIMILARITY = 0.8
"""Less similar segments of a path are those of other routes."""


@web.middleware
async def telemetry(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id; log and count its answer."""
    started = time.perf_counter()
    request[REQUEST_ID] = request_id(request)
    route = _route_template(request)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    status = 499  # the client went away before there was an answer
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        seconds = time.perf_counter() - started
        request.app[HTTP_METRICS].observe(request.method, route, status, seconds)
        write = log.debug if route in PROBES else log.info
        write(
            "request.answered",
            method=request.method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into problem+json; a bug is logged with its traceback, never shown."""
    try:
        return await handler(request)
    except Exception as raised:
        route = _route_template(request)
        by_client = isinstance(raised, ConnectionError) and is_disconnected(request)
        error = MalformedRequest() if by_client else _to_domain_error(raised)
        if isinstance(raised, web.HTTPNotFound):
            error = NotFound(_suggest_path(request))
        if isinstance(error, InternalError):
            log.exception("request.failed", method=request.method, route=route)
        if isinstance(error, RateLimited):
            log.info("request.limited", route=route, limit=error.limit)
        if isinstance(error, ServiceUnavailable):
            first = raised.__cause__ or raised
            log.warning("request.unavailable", route=route, cause=describe_error(first))
        if error.status == web.HTTPInsufficientStorage.status_code:
            now = asyncio.get_running_loop().time()
            request.app[STORAGE_ALARM].record(now, route=route, cause=describe_error(raised))
        if request.writer.output_size:  # half an answer is sent: it must not look complete
            raise ConnectionError from raised
        development = request.app[DEVELOPMENT]
        return problem_response(
            error, request.app[DOCS], request[REQUEST_ID], development=development
        )


def _suggest_path(request: web.Request) -> str | None:
    """Return a hint at the route with the most similar path, None when no path is similar.

    It quotes the route, never the path that the client sent.
    """
    given = re.sub("/+", "/", request.rel_url.raw_path).rstrip("/").lower().split("/")
    paths = [one.canonical.split("/") for one in request.app.router.resources()]
    candidates = [path for path in paths if len(path) == len(given)]
    for place, segment in enumerate(given if candidates else ()):
        names = {path[place] for path in candidates}
        near = get_close_matches(segment, names, n=1, cutoff=_MIN_SIMILARITY)
        wanted = near or [name for name in names if name.startswith("{")]
        candidates = [path for path in candidates if path[place] in wanted]
    return f"Did you mean {'/'.join(candidates[0])}?" if candidates else None


def is_disconnected(request: web.Request) -> bool:
    """Return whether the client's connection is closed, or about to be."""
    return request.transport is None or request.transport.is_closing()


def _to_domain_error(raised: Exception) -> DomainError:
    match raised:
        case DomainError():
            return raised
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(sorted(raised.allowed_methods))
        case web.HTTPException() | web.PayloadAccessError() | web.RequestPayloadError():
            return MalformedRequest()
    return InternalError()


@web.middleware
async def authentication(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Require a signed-in user where the operation does; limit the request's time."""
    operation = request.app[OPERATIONS].get(request.match_info.handler)
    limit = asyncio.timeout(operation.deadline if operation else HANDLER_SECONDS)
    try:
        async with limit:
            with _share_deadline(request, limit):
                if operation and operation.auth:
                    await request.app[AUTHENTICATE](request)
                return await handler(request)
    except TimeoutError:
        if not limit.expired():
            raise
        raise ServiceUnavailable(detail="The request could not be finished in time") from None


@contextlib.contextmanager
def _share_deadline(request: web.Request, limit: asyncio.Timeout) -> Iterator[None]:
    """Let the connection bring the request's deadline forward when the service ends."""
    if not isinstance(request.protocol, HttpConnection):
        yield
        return
    request.protocol.set_deadline(limit)
    try:
        yield
    finally:
        request.protocol.set_deadline(None)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers of every answer, where the route has not set them.

    Each answer may depend on the `Origin`, so that no cache gives one page's to another.
    """
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request.get(REQUEST_ID, "-")
    operation = request.app[OPERATIONS].get(request.match_info.handler)
    by_credentials = operation and operation.depends_on_credentials
    varies_by = response.headers["Vary"].split(", ") if "Vary" in response.headers else []
    varies_by += [*_CREDENTIAL_HEADERS, "Origin"] if by_credentials else ["Origin"]
    response.headers["Vary"] = ", ".join(dict.fromkeys(varies_by))
    response.headers.update(cors_headers(request))
    response.headers.pop("Server", None)


def request_id(request: web.Request) -> str:
    """Return the id in the request's header when it is well formed, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if _REQUEST_ID.fullmatch(given) else request.app[ENTROPY].bytes(12).hex()


def _route_template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unmatched"
