"""Errors of webhooks."""

from shared.errors import DomainError


class WebhookAddressRefused(DomainError):
    """A webhook may not connect to this address."""

    code, status, title = "webhook_address_refused", 422, "Webhooks may not go there"
