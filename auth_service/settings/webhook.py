"""Settings of the provider `webhook`."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from auth_service.settings.delivery import DeliverySettings
from auth_service.settings.web_urls import WebUrl, plaintext_problems
from shared.webhooks.signature import require_secret


def _webhook_secret(secret: SecretStr) -> SecretStr:
    if text := secret.get_secret_value():
        require_secret(text)
    return secret


class WebhookSettings(DeliverySettings):
    """The settings of the operator's own SMS gateway."""

    sms_webhook_url: WebUrl = Field("", description="where the webhook provider posts messages")
    sms_webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] = Field(
        SecretStr(""), description="`whsec_…`: signs those posts (Standard Webhooks)"
    )

    def secret_lists(self) -> dict[str, tuple[str, ...]]:
        """Return the settings that hold our own secrets, by name."""
        webhook = self.sms_webhook_secret.get_secret_value().removeprefix("whsec_")
        return super().secret_lists() | ({"SMS_WEBHOOK_SECRET": (webhook,)} if webhook else {})

    def webhook_problems(self) -> list[str]:
        """Return a line for each setting that is missing, and for a plaintext address."""
        plain = plaintext_problems("SMS_WEBHOOK_URL", self.sms_webhook_url)
        problems = plain if self.production else []
        if "webhook" in self.sms_providers:
            secret = self.sms_webhook_secret.get_secret_value()
            needed = {"SMS_WEBHOOK_URL": self.sms_webhook_url, "SMS_WEBHOOK_SECRET": secret}
            empty = [name for name, value in needed.items() if not value]
            problems += [f"{name}: required by a provider" for name in empty]
        return problems
