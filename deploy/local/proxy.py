"""The reverse proxy of `make run`: both services behind one address, and the start page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from html import escape
from pathlib import Path

import structlog
from aiohttp import web

from deploy.local.proxy_headers import with_security_headers
from deploy.local.upstream import Upstream, skip_100_continue
from shared.entropy import SystemEntropy
from shared.errors import DomainError, InternalError, MethodNotAllowed, NotFound
from shared.middleware import ENTROPY, has_left, request_id
from shared.problem import DOCS, REQUEST_ID, problem_response

PAGE_DIR = Path(__file__).parent / "page"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGES = {
    "/": ("index.html", "text/html"),
    "/console": ("console.html", "text/html"),
    "/console.js": ("console.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/page.css": ("page.css", "text/css"),
}

UPSTREAMS = web.AppKey("upstreams", dict[str, Upstream])
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = structlog.get_logger()


def create_proxy(auth: Path, media: Path, public_url: str) -> web.Application:
    """Return the application that forwards requests to the services on these two sockets."""
    app = web.Application(middlewares=[_translate_errors])
    app[DOCS] = "/"
    app[ENTROPY] = SystemEntropy()

    async def upstreams(app: web.Application) -> AsyncIterator[None]:
        async with Upstream(auth) as first, Upstream(media) as second:
            app[UPSTREAMS] = {"auth_service": first, "media_service": second}
            yield

    app.cleanup_ctx.append(upstreams)
    app.on_response_prepare.append(_remove_server_header)
    for path, service in (
        ("/v1/auth/{rest:.*}", "auth_service"),
        ("/v1/media/{rest:.*}", "media_service"),
        ("/.well-known/jwks.json", "auth_service"),
    ):
        app.router.add_route("*", path, _forward_to(service), expect_handler=skip_100_continue)
    app.router.add_get("/healthz", _liveness)
    app.router.add_get("/readyz", _readiness)
    for path, (name, content_type) in PAGES.items():
        app.router.add_get(path, _page_handler(name, content_type, public_url))
    return app


def _forward_to(service: str) -> Handler:
    async def forward(request: web.Request) -> web.StreamResponse:
        return await request.app[UPSTREAMS][service].forward(request)

    return forward


async def _liveness(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"}, headers=with_security_headers({}))


async def _readiness(request: web.Request) -> web.Response:
    checks = {name: await one.is_ready() for name, one in request.app[UPSTREAMS].items()}
    ready = all(checks.values())
    return web.json_response(
        {"status": "ready" if ready else "not ready", "checks": checks},
        status=200 if ready else 503,
        headers=with_security_headers({}),
    )


def _page_handler(name: str, content_type: str, public_url: str) -> Handler:
    text = (PAGE_DIR / name).read_text(encoding="utf-8").replace("{{ url }}", escape(public_url))

    async def serve_page(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=content_type,
            headers=with_security_headers(
                {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
            ),
        )

    return serve_page


@web.middleware
async def _translate_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the proxy's own errors in the form of the services' errors."""
    request[REQUEST_ID] = request_id(request)
    try:
        return await handler(request)
    except DomainError as error:
        return _problem(request, error)
    except web.HTTPMethodNotAllowed as error:
        return _problem(request, MethodNotAllowed(sorted(error.allowed_methods)))
    except web.HTTPNotFound:
        return _problem(request, NotFound())
    except Exception as error:
        if isinstance(error, ConnectionError) and has_left(request):
            raise  # aiohttp drops the connection
        log.exception("request.failed", method=request.method, request_id=request[REQUEST_ID])
        return _problem(request, InternalError())


def _problem(request: web.Request, error: DomainError) -> web.Response:
    response = problem_response(error, request.app[DOCS], request[REQUEST_ID])
    response.headers.update(with_security_headers({"X-Request-ID": request[REQUEST_ID]}))
    return response


async def _remove_server_header(_request: web.Request, response: web.StreamResponse) -> None:
    """Remove the header `Server`, so that no response names aiohttp or a service."""
    response.headers.pop("Server", None)
