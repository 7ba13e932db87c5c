"""Settings of webhooks to operators."""

from pydantic import Field

from shared.webhooks.settings import WebhookSendingSettings


class OperatorWebhookSettings(WebhookSendingSettings):
    """The settings of webhooks about events of auth_service."""

    publish_worker: bool = Field(
        True,
        description="whether `serve` also delivers webhooks about events of accounts; else "
        "`python -m auth_service worker` does",
    )
