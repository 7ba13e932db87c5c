"""Deliveries of webhooks: a test, the list with every attempt, another delivery."""

from uuid import UUID

from aiohttp import web

from media_service.delivery import service
from media_service.delivery.schemas import (
    DeliveryPage,
    DeliveryQuery,
    DeliveryResponse,
    QueuedResponse,
    RedeliveryBody,
)
from media_service.resources import CALLER, CLOCK, DATABASE
from shared.errors import Conflict
from shared.middleware import ENTROPY
from shared.openapi import Routes
from shared.request import path_id, read_body, read_query
from shared.responses import json_response

routes = Routes("webhooks")


@routes.add(
    "POST",
    "/webhooks/{id}/test",
    summary="Send `webhook.test` to a webhook, once, also to a disabled one",
    answers={202: QueuedResponse},
)
async def test_webhook(request: web.Request) -> web.Response:
    """Queue the test and answer with the delivery's id."""
    app = request.app
    delivery_id = await service.send_test(app[DATABASE], _target(request), app[CLOCK], app[ENTROPY])
    return json_response(QueuedResponse(delivery_id=delivery_id), 202)


@routes.add(
    "GET",
    "/webhooks/{id}/deliveries",
    summary="List the deliveries to a webhook with every attempt, the newest first",
    query=DeliveryQuery,
    answers={200: DeliveryPage},
)
async def list_deliveries(request: web.Request) -> web.Response:
    """Answer with one page."""
    query = read_query(request, DeliveryQuery)
    found = await service.list_deliveries(
        request.app[DATABASE], _target(request), query.to_filter()
    )
    return json_response(DeliveryPage.from_rows(query, found, DeliveryResponse.of))


@routes.add(
    "POST",
    "/webhooks/{id}/deliveries/{did}/redeliver",
    summary="Deliver an event again under the same `webhook-id`; a link in it ends as before",
    answers={202: None},
    errors=(Conflict,),
)
async def redeliver(request: web.Request) -> web.Response:
    """Queue the delivery."""
    app, delivery_id = request.app, path_id(request, "did")
    await service.redeliver(app[DATABASE], _target(request), delivery_id, app[CLOCK].now())
    return web.Response(status=web.HTTPAccepted.status_code)


@routes.add(
    "POST",
    "/webhooks/{id}/redeliver",
    summary="Deliver again all events since a time that this webhook has not accepted",
    body=RedeliveryBody,
    answers={202: None},
    errors=(Conflict,),
)
async def redeliver_failed(request: web.Request) -> web.Response:
    """Queue the deliveries."""
    app, since = request.app, (await read_body(request, RedeliveryBody)).since
    await service.redeliver_failed(app[DATABASE], _target(request), since, app[CLOCK].now())
    return web.Response(status=web.HTTPAccepted.status_code)


def _target(request: web.Request) -> tuple[UUID, UUID]:
    return path_id(request), request[CALLER].sub
