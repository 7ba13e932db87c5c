"""One address for everything: the services behind their sockets, and the start page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from html import escape
from pathlib import Path

import structlog
from aiohttp import web

from deploy.local.proxy_headers import secure
from deploy.local.upstream import Upstream, forgo_continue
from shared.entropy import SystemEntropy
from shared.errors import DomainError, InternalError, MethodNotAllowed, NotFound
from shared.middleware import ENTROPY, request_id
from shared.problem import DOCS, REQUEST_ID, problem_response

PAGE = Path(__file__).parent / "page"
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


def create_front(auth: Path, media: Path, public_url: str) -> web.Application:
    """Return the application in front of the services that listen on these sockets."""
    app = web.Application(middlewares=[_refuse])
    app[DOCS] = "/"
    app[ENTROPY] = SystemEntropy()

    async def upstreams(app: web.Application) -> AsyncIterator[None]:
        async with Upstream(auth) as first, Upstream(media) as second:
            app[UPSTREAMS] = {"auth_service": first, "media_service": second}
            yield

    app.cleanup_ctx.append(upstreams)
    app.on_response_prepare.append(_unsigned)
    for path, service in (
        ("/v1/auth/{rest:.*}", "auth_service"),
        ("/v1/media/{rest:.*}", "media_service"),
        ("/.well-known/jwks.json", "auth_service"),
    ):
        app.router.add_route("*", path, _relay_to(service), expect_handler=forgo_continue)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)
    for path, (name, content_type) in PAGES.items():
        app.router.add_get(path, _page(name, content_type, public_url))
    return app


def _relay_to(service: str) -> Handler:
    async def relay(request: web.Request) -> web.StreamResponse:
        return await request.app[UPSTREAMS][service].relay(request)

    return relay


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"}, headers=secure({}))


async def _ready(request: web.Request) -> web.Response:
    checks = {name: await one.ready() for name, one in request.app[UPSTREAMS].items()}
    ready = all(checks.values())
    return web.json_response(
        {"status": "ready" if ready else "not ready", "checks": checks},
        status=200 if ready else 503,
        headers=secure({}),
    )


def _page(name: str, content_type: str, public_url: str) -> Handler:
    text = (PAGE / name).read_text(encoding="utf-8").replace("{{ url }}", escape(public_url))

    async def show(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=content_type,
            headers=secure({"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}),
        )

    return show


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the front's own errors as the services answer theirs."""
    request[REQUEST_ID] = request_id(request)
    try:
        return await handler(request)
    except DomainError as error:
        return _problem(request, error)
    except web.HTTPMethodNotAllowed as error:
        return _problem(request, MethodNotAllowed(sorted(error.allowed_methods)))
    except web.HTTPNotFound:
        return _problem(request, NotFound())
    except Exception:
        log.exception("request.failed", method=request.method, request_id=request[REQUEST_ID])
        return _problem(request, InternalError())


def _problem(request: web.Request, error: DomainError) -> web.Response:
    response = problem_response(error, request.app[DOCS], request[REQUEST_ID])
    response.headers.update(secure({"X-Request-ID": request[REQUEST_ID]}))
    return response


async def _unsigned(_request: web.Request, response: web.StreamResponse) -> None:
    """Name no software: neither ours nor, where a service named none, aiohttp."""
    response.headers.pop("Server", None)
