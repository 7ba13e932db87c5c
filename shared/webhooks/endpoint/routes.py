"""Webhooks: create, list, one, change, delete, another secret."""

from aiohttp import web

from shared.errors import Conflict
from shared.openapi import Routes
from shared.paging import PageQuery
from shared.request import path_id, read_body, read_query
from shared.responses import json_response
from shared.webhooks.endpoint.errors import WebhookAddressRefused
from shared.webhooks.endpoint.schemas import (
    SecretResponse,
    WebhookCreatedResponse,
    WebhookPage,
    WebhookResponse,
)
from shared.webhooks.endpoint.service import WebhookService
from shared.webhooks.interface import INTERFACE, WebhookInterface, read_owner

WEBHOOKS: web.AppKey[WebhookService] = web.AppKey("webhooks")


def add_endpoint_routes(routes: Routes, interface: WebhookInterface) -> None:
    """Describe the routes of endpoints."""
    routes.add(
        "POST",
        "/webhooks",
        summary="Have events sent to an address by signed HTTP requests; at most 10 webhooks",
        body=interface.body,
        answers={201: WebhookCreatedResponse},
        errors=(WebhookAddressRefused, Conflict, *interface.act_errors),
    )(create_webhook)
    routes.add(
        "GET",
        "/webhooks",
        summary="List webhooks, the newest first",
        query=PageQuery,
        answers={200: WebhookPage},
    )(list_webhooks)
    routes.add("GET", "/webhooks/{id}", summary="One webhook", answers={200: WebhookResponse})(
        get_webhook
    )
    routes.add(
        "PATCH",
        "/webhooks/{id}",
        summary="Change a webhook; `status` disables and enables it",
        body=interface.change,
        answers={200: WebhookResponse},
        errors=(WebhookAddressRefused, *interface.act_errors),
    )(patch_webhook)
    routes.add(
        "POST",
        "/webhooks/{id}/rotate-secret",
        summary="Replace a webhook's secret; the one before signs too for 24 hours",
        answers={200: SecretResponse},
        errors=interface.act_errors,
    )(rotate_secret)
    routes.add("DELETE", "/webhooks/{id}", summary="Delete a webhook", answers={204: None})(
        delete_webhook
    )


async def create_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint and its secret."""
    app = request.app
    draft = (await read_body(request, app[INTERFACE].body)).to_draft()
    endpoint, secret = await app[WEBHOOKS].create(read_owner(request), draft)
    shown = WebhookResponse.of(endpoint).model_dump()
    location = f"{request.path}/{endpoint.id}"
    return json_response(
        WebhookCreatedResponse(**shown, secret=secret), 201, {"Location": location}
    )


async def list_webhooks(request: web.Request) -> web.Response:
    """Answer with one page."""
    query, owner = read_query(request, PageQuery), read_owner(request)
    found = await request.app[WEBHOOKS].list(owner, query.before_id(), query.rows)
    return json_response(WebhookPage.from_rows(query, found, WebhookResponse.of))


async def get_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint."""
    owner = read_owner(request)
    endpoint = await request.app[WEBHOOKS].get(owner, path_id(request))
    return json_response(WebhookResponse.of(endpoint))


async def patch_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint as it is now."""
    app = request.app
    change = (await read_body(request, app[INTERFACE].change)).to_update()
    endpoint = await app[WEBHOOKS].update(read_owner(request), path_id(request), change)
    return json_response(WebhookResponse.of(endpoint))


async def rotate_secret(request: web.Request) -> web.Response:
    """Answer with the new secret."""
    owner = read_owner(request)
    secret = await request.app[WEBHOOKS].rotate_secret(owner, path_id(request))
    return json_response(SecretResponse(secret=secret))


async def delete_webhook(request: web.Request) -> web.Response:
    """Answer with nothing."""
    owner = read_owner(request)
    await request.app[WEBHOOKS].delete(owner, path_id(request))
    return web.Response(status=204)
