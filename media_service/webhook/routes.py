"""Webhooks of users, for the events of media_service."""

from aiohttp import web

from media_service.resources import CALLER, SETTINGS
from media_service.webhook.owner import UserOwner
from media_service.webhook.schemas import DeliveryQuery, WebhookBody, WebhookChange
from shared.openapi import Routes
from shared.webhooks.delivery.routes import add_delivery_routes
from shared.webhooks.endpoint.routes import add_endpoint_routes
from shared.webhooks.interface import WebhookInterface


def _read_owner(request: web.Request) -> UserOwner:
    return UserOwner(request[CALLER].sub, request.app[SETTINGS].quota)


WEBHOOK_INTERFACE = WebhookInterface(WebhookBody, WebhookChange, DeliveryQuery, _read_owner)
routes = Routes("webhooks")
add_endpoint_routes(routes, WEBHOOK_INTERFACE)
add_delivery_routes(routes, WEBHOOK_INTERFACE)
