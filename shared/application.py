"""Puts a service's features behind the shared middleware, documents and health routes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from shared.alarm import Alarm
from shared.client_address import TRUSTED_PROXIES
from shared.cors import ALLOWED_ORIGINS, preflight
from shared.docs_page import STYLE_POLICY, render_page
from shared.entropy import Entropy
from shared.errors import DomainError
from shared.health import add_health
from shared.middleware import (
    AUTHENTICATE,
    ENTROPY,
    HTTP_METRICS,
    OPERATIONS,
    STORAGE_ALARM,
    add_headers,
    authentication,
    errors,
    telemetry,
)
from shared.openapi import Handler, Operation, Routes
from shared.problem import DEVELOPMENT, DOCS
from shared.settings import ServiceSettings
from shared.telemetry import HttpMetrics


@dataclass(frozen=True, slots=True)
class Interface:
    """A service's whole HTTP interface as data: title, path prefix and routes.

    `counted_errors`: further errors of the operations that count towards a user's limits.
    """

    title: str
    prefix: str
    features: tuple[Routes, ...]
    counted_errors: tuple[type[DomainError], ...] = ()

    @property
    def operations(self) -> list[Operation]:
        """Every operation, feature by feature."""
        counted = self.counted_errors
        return [
            replace(one, errors=(*one.errors, *counted)) if one.counts_towards_limits else one
            for routes in self.features
            for one in routes.operations
        ]

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document."""
        # Imported when a client asks for it, as it is not written before either.
        from shared.openapi_document import build_document  # noqa: PLC0415

        return build_document(self.title, self.prefix, self.operations)


def build_application(
    interface: Interface,
    settings: ServiceSettings,
    entropy: Entropy,
    authenticate: Callable[[web.Request], Awaitable[None]],
    extra: Iterable[web.RouteDef] = (),
) -> web.Application:
    """Return an application that serves the interface; the caller adds its resources.

    `authenticate` runs before every operation with `auth=True`. `extra` are routes outside the
    prefix, which the document does not list.
    """
    app = web.Application(middlewares=[telemetry, errors, preflight, authentication])
    metrics = HttpMetrics(CollectorRegistry())
    app[DOCS] = f"{interface.prefix}/docs"
    app[DEVELOPMENT] = not settings.production
    app[ENTROPY] = entropy
    app[HTTP_METRICS] = metrics
    app[STORAGE_ALARM] = Alarm("storage.full")
    app[AUTHENTICATE] = authenticate
    app[ALLOWED_ORIGINS] = settings.allowed_origins
    app[TRUSTED_PROXIES] = settings.trusted_proxies
    app[OPERATIONS] = {one.handler: one for one in interface.operations}
    for method, path, handler in _find_routes(interface):
        app.router.add_route(method, path, handler)
    app.add_routes(extra)
    _add_documentation(app, interface)
    add_health(app, metrics)
    app.on_response_prepare.append(add_headers)
    return app


@cache
def _find_routes(interface: Interface) -> list[tuple[str, str, Handler]]:
    """Return the method, path and handler of each route, found once in a process."""
    operations = interface.operations
    own_heads = {one.path for one in operations if one.method == "HEAD"}
    routes = []
    for one in operations:
        path = interface.prefix + _path_pattern(one.path, operations)
        routes.append((one.method, path, one.handler))
        if one.method == "GET" and one.path not in own_heads:
            routes.append(("HEAD", path, one.handler))
    return routes


def _path_pattern(path: str, operations: list[Operation]) -> str:
    """Return a path whose id excludes the literal segments of other paths.

    Else `DELETE /products/public` would look for a product of that name instead of being 405.
    """
    before, name, after = path.partition("{id}")
    places = [one.path.removeprefix(before) for one in operations if one.path.startswith(before)]
    words = sorted({place.partition("/")[0] for place in places} - {name, ""})
    if not name or not words:
        return path
    return f"{before}{{id:(?!(?:{'|'.join(words)})(?:/|$))[^/]+}}{after}"


def _add_documentation(app: web.Application, interface: Interface) -> None:
    async def show_document(_request: web.Request) -> web.Response:
        text, _ = await asyncio.to_thread(_render_documents, interface)
        return web.json_response(text=text)

    async def show_page(_request: web.Request) -> web.Response:
        _, page = await asyncio.to_thread(_render_documents, interface)
        headers = {"Content-Security-Policy": STYLE_POLICY}
        return web.Response(text=page, content_type="text/html", headers=headers)

    app.router.add_get(f"{interface.prefix}/openapi.json", show_document)
    app.router.add_get(f"{interface.prefix}/docs", show_page)


@cache
def _render_documents(interface: Interface) -> tuple[str, str]:
    """Return the OpenAPI document and the page that shows it, written once in a process.

    They take a tenth of the start, so they are written when the first client asks for one.
    """
    document = interface.document()
    return json.dumps(document), render_page(interface.title, document, interface.operations)
