"""Requests of the webhooks' routes, with the types of auth_service's events."""

from auth_service.event.model import EventType
from shared.webhooks.delivery import schemas as delivery
from shared.webhooks.endpoint import schemas as endpoint


class WebhookBody(endpoint.EndpointBody[EventType]):
    """A new endpoint."""


class WebhookChange(endpoint.EndpointChange[EventType]):
    """The fields to change, at least one."""


class DeliveryQuery(delivery.DeliveryQuery[EventType]):
    """A page of deliveries, the newest first."""
