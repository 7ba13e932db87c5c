"""Deliveries of webhooks: a test, the list with every attempt, another delivery."""

from uuid import UUID

from aiohttp import web

from shared.errors import Conflict
from shared.openapi import Routes
from shared.request import path_id, read_body, read_query
from shared.responses import json_response
from shared.webhooks.delivery.schemas import (
    DeliveryPage,
    DeliveryResponse,
    QueuedResponse,
    RedeliveryBody,
)
from shared.webhooks.delivery.service import DeliveryService
from shared.webhooks.interface import INTERFACE, WebhookInterface, read_owner

DELIVERIES: web.AppKey[DeliveryService] = web.AppKey("webhook_deliveries")


def add_delivery_routes(routes: Routes, interface: WebhookInterface) -> None:
    """Describe the routes of deliveries."""
    routes.add(
        "POST",
        "/webhooks/{id}/test",
        summary="Send `webhook.test` to a webhook, once, also to a disabled one",
        answers={202: QueuedResponse},
        errors=(Conflict,),
    )(test_webhook)
    routes.add(
        "GET",
        "/webhooks/{id}/deliveries",
        summary="List the deliveries to a webhook with every attempt, the newest first",
        query=interface.delivery_query,
        answers={200: DeliveryPage},
    )(list_deliveries)
    routes.add(
        "POST",
        "/webhooks/{id}/deliveries/{did}/redeliver",
        summary="Deliver an event again under the same `webhook-id`; a link in it ends as before",
        answers={202: None},
        errors=(Conflict,),
    )(redeliver)
    routes.add(
        "POST",
        "/webhooks/{id}/redeliver",
        summary="Deliver again all events since a time that this webhook has not accepted",
        body=RedeliveryBody,
        answers={202: None},
        errors=(Conflict,),
    )(redeliver_failed)


async def test_webhook(request: web.Request) -> web.Response:
    """Queue the test and answer with the delivery's id."""
    delivery_id = await request.app[DELIVERIES].send_test(_target(request))
    return json_response(QueuedResponse(delivery_id=delivery_id), 202)


async def list_deliveries(request: web.Request) -> web.Response:
    """Answer with one page."""
    query = read_query(request, request.app[INTERFACE].delivery_query)
    found = await request.app[DELIVERIES].list_deliveries(_target(request), query.to_filter())
    return json_response(DeliveryPage.from_rows(query, found, DeliveryResponse.of))


async def redeliver(request: web.Request) -> web.Response:
    """Queue the delivery."""
    delivery_id = path_id(request, "did")
    await request.app[DELIVERIES].redeliver(_target(request), delivery_id)
    return web.Response(status=web.HTTPAccepted.status_code)


async def redeliver_failed(request: web.Request) -> web.Response:
    """Queue the deliveries."""
    since = (await read_body(request, RedeliveryBody)).since
    await request.app[DELIVERIES].redeliver_failed(_target(request), since)
    return web.Response(status=web.HTTPAccepted.status_code)


def _target(request: web.Request) -> tuple[UUID, UUID]:
    return path_id(request), read_owner(request).id
