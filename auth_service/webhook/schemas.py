"""Requests of the webhooks' routes, with the types of auth_service's events."""

from typing import Literal

from auth_service.event.model import EventType
from shared.webhooks.delivery import schemas as delivery
from shared.webhooks.endpoint import schemas as endpoint

WantedEvent = Literal[EventType, "*"]


class WebhookBody(endpoint.EndpointBody[WantedEvent]):
    """A new endpoint."""


class WebhookChange(endpoint.EndpointChange[WantedEvent]):
    """The fields to change, at least one."""


class DeliveryQuery(delivery.DeliveryQuery[EventType]):
    """A page of deliveries, the newest first."""
