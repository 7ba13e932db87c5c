"""The reverse proxy of `make run`: both services behind one address, and the start page."""

from collections.abc import AsyncIterator
from html import escape
from pathlib import Path

import structlog
from aiohttp import web

from deploy.local.upstream import Upstream
from shared.cors import ALLOWED_ORIGINS, preflight
from shared.entropy import SystemEntropy
from shared.middleware import ENTROPY, OPERATIONS, add_headers, errors, request_id
from shared.openapi import Handler
from shared.origins import AllowedOrigins
from shared.problem import DEVELOPMENT, DOCS, REQUEST_ID

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


def create_proxy(auth: Path, media: Path, origins: AllowedOrigins) -> web.Application:
    """Return the application that forwards requests to the services on these two sockets.

    It answers preflights itself, so that a page can read its errors while a service is away.
    """
    app = web.Application(middlewares=[_assign_request_id, errors, preflight])
    app[DOCS] = "/"
    app[DEVELOPMENT] = True
    app[ALLOWED_ORIGINS] = origins
    app[ENTROPY] = SystemEntropy()
    app[OPERATIONS] = {}

    async def upstreams(app: web.Application) -> AsyncIterator[None]:
        async with Upstream(auth) as first, Upstream(media) as second:
            app[UPSTREAMS] = {"auth_service": first, "media_service": second}
            yield

    app.cleanup_ctx.append(upstreams)
    app.on_response_prepare.append(add_headers)
    for path, service in (
        ("/v1/auth/{rest:.*}", "auth_service"),
        ("/v1/media/{rest:.*}", "media_service"),
        ("/.well-known/jwks.json", "auth_service"),
        ("/.well-known/assetlinks.json", "auth_service"),
        ("/.well-known/apple-app-site-association", "auth_service"),
        # misspelled in case or slashes: the service knows the route to name
        ("/{near:(?i:/*v1/+auth/+.+)}", "auth_service"),
        ("/{near:(?i:/*v1/+media/+.+)}", "media_service"),
    ):
        app.router.add_route("*", path, _forward_to(service))
    app.router.add_get("/healthz", _liveness)
    app.router.add_get("/readyz", _readiness)
    for path, (name, content_type) in PAGES.items():
        app.router.add_get(path, _page_handler(name, content_type, origins.own))
    return app


def _forward_to(service: str) -> Handler:
    async def forward(request: web.Request) -> web.StreamResponse:
        return await request.app[UPSTREAMS][service].forward(request)

    return forward


async def _liveness(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"})


async def _readiness(request: web.Request) -> web.Response:
    checks = {name: await one.is_ready() for name, one in request.app[UPSTREAMS].items()}
    ready = all(checks.values())
    return web.json_response(
        {"status": "ready" if ready else "not ready", "checks": checks},
        status=200 if ready else 503,
    )


def _page_handler(name: str, content_type: str, public_url: str) -> Handler:
    text = (PAGE_DIR / name).read_text(encoding="utf-8").replace("{{ url }}", escape(public_url))

    async def serve_page(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=content_type,
            headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"},
        )

    return serve_page


@web.middleware
async def _assign_request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[REQUEST_ID] = request_id(request)
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        return await handler(request)
