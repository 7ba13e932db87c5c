"""What each service has of its own in the routes of webhooks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from shared.errors import DomainError
from shared.webhooks.delivery.schemas import DeliveryQuery
from shared.webhooks.endpoint.schemas import EndpointBody, EndpointChange
from shared.webhooks.endpoint.service import EndpointOwner


@dataclass(frozen=True, slots=True)
class WebhookInterface:
    """The models, which name the types of its events, and the owner that a request is about.

    `act_errors`: the errors by which the owner refuses a new address or secret.
    """

    body: type[EndpointBody[Any]]
    change: type[EndpointChange[Any]]
    delivery_query: type[DeliveryQuery[Any]]
    read_owner: Callable[[web.Request], EndpointOwner]
    act_errors: tuple[type[DomainError], ...] = ()


INTERFACE: web.AppKey[WebhookInterface] = web.AppKey("webhook_interface")


def read_owner(request: web.Request) -> EndpointOwner:
    """Return the owner of the endpoints that the request is about."""
    return request.app[INTERFACE].read_owner(request)
