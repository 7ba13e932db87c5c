"""`/admin/webhooks`: webhooks of operators, for the events of auth_service."""

from aiohttp import web

from auth_service.audit.origin import read_origin
from auth_service.audit.routes import AUDIT
from auth_service.resources import CLOCK
from auth_service.session.errors import StepUpRequired
from auth_service.session.resources import CALLER
from auth_service.webhook.owner import Administrators
from auth_service.webhook.schemas import DeliveryQuery, WebhookBody, WebhookChange
from shared.openapi import Routes
from shared.webhooks.delivery.routes import add_delivery_routes
from shared.webhooks.endpoint.routes import add_endpoint_routes
from shared.webhooks.interface import WebhookInterface


def _read_owner(request: web.Request) -> Administrators:
    now = request.app[CLOCK].now()
    return Administrators(request[CALLER], now, read_origin(request), request.app[AUDIT])


WEBHOOK_INTERFACE = WebhookInterface(
    WebhookBody, WebhookChange, DeliveryQuery, _read_owner, act_errors=(StepUpRequired,)
)
routes = Routes("webhooks", prefix="/admin", role="admin")
add_endpoint_routes(routes, WEBHOOK_INTERFACE)
add_delivery_routes(routes, WEBHOOK_INTERFACE)
