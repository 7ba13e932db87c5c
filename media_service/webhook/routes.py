"""Webhooks: create, list, one, change, delete, another secret."""

from aiohttp import web

from media_service.resources import CALLER
from media_service.webhook.errors import WebhookAddressRefused
from media_service.webhook.schemas import (
    SecretResponse,
    WebhookBody,
    WebhookChange,
    WebhookCreatedResponse,
    WebhookPage,
    WebhookResponse,
)
from media_service.webhook.service import WebhookService
from shared.errors import Conflict
from shared.openapi import Routes
from shared.paging import PageQuery
from shared.request import path_id, read_body, read_query
from shared.responses import json_response

WEBHOOKS: web.AppKey[WebhookService] = web.AppKey("webhooks")
routes = Routes("webhooks")


@routes.add(
    "POST",
    "/webhooks",
    summary="Be told of events by signed HTTP requests; at most 10 endpoints",
    body=WebhookBody,
    answers={201: WebhookCreatedResponse},
    errors=(WebhookAddressRefused, Conflict),
)
async def create_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint and its secret."""
    draft = (await read_body(request, WebhookBody)).to_draft()
    endpoint, secret = await request.app[WEBHOOKS].create(request[CALLER].sub, draft)
    shown = WebhookResponse.of(endpoint).model_dump()
    location = f"{request.path}/{endpoint.id}"
    return json_response(
        WebhookCreatedResponse(**shown, secret=secret), 201, {"Location": location}
    )


@routes.add(
    "GET",
    "/webhooks",
    summary="List own webhooks, the newest first",
    query=PageQuery,
    answers={200: WebhookPage},
)
async def list_webhooks(request: web.Request) -> web.Response:
    """Answer with one page."""
    query, caller = read_query(request, PageQuery), request[CALLER].sub
    found = await request.app[WEBHOOKS].list(caller, query.before_id(), query.rows)
    return json_response(WebhookPage.from_rows(query, found, WebhookResponse.of))


@routes.add("GET", "/webhooks/{id}", summary="One's own webhook", answers={200: WebhookResponse})
async def get_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint."""
    endpoint = await request.app[WEBHOOKS].get(request[CALLER].sub, path_id(request))
    return json_response(WebhookResponse.of(endpoint))


@routes.add(
    "PATCH",
    "/webhooks/{id}",
    summary="Change a webhook; `status` disables and enables it",
    body=WebhookChange,
    answers={200: WebhookResponse},
    errors=(WebhookAddressRefused,),
)
async def patch_webhook(request: web.Request) -> web.Response:
    """Answer with the endpoint as it is now."""
    change = (await read_body(request, WebhookChange)).to_update()
    endpoint = await request.app[WEBHOOKS].update(request[CALLER].sub, path_id(request), change)
    return json_response(WebhookResponse.of(endpoint))


@routes.add(
    "POST",
    "/webhooks/{id}/rotate-secret",
    summary="Replace a webhook's secret; the one before signs too for 24 hours",
    answers={200: SecretResponse},
)
async def rotate_secret(request: web.Request) -> web.Response:
    """Answer with the new secret."""
    secret = await request.app[WEBHOOKS].rotate_secret(request[CALLER].sub, path_id(request))
    return json_response(SecretResponse(secret=secret))


@routes.add("DELETE", "/webhooks/{id}", summary="Delete a webhook", answers={204: None})
async def delete_webhook(request: web.Request) -> web.Response:
    """Answer with nothing."""
    await request.app[WEBHOOKS].delete(request[CALLER].sub, path_id(request))
    return web.Response(status=204)
