"""SMS by the operator's webhook: a POST with a Standard Webhooks signature."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout
from standardwebhooks import Webhook as Signature

from auth_service.delivery.errors import (
    TOO_MANY,
    MessageRefusedError,
    OutcomeUnknownError,
    ProviderError,
    retry_after,
)
from auth_service.delivery.model import Message
from auth_service.delivery.template_ids import find_id
from auth_service.settings.webhook import WebhookSettings
from shared.clock import Clock

SUCCESS = range(200, 300)
REFUSED = range(400, 500)
TIMEOUT = ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts a message with its parts; 2xx means taken, 429 and 5xx later, other 4xx never."""

    name = "webhook"

    http: ClientSession
    settings: WebhookSettings
    signature: Signature
    clock: Clock

    async def send(self, message: Message) -> None:
        """Hand one message over. The id is the delivery's, which makes repeats recognisable.

        Raises:
            MessageRefusedError, ProviderError, OutcomeUnknownError: by the answer.
        """
        body = json.dumps(
            {
                "id": message.id,
                "channel": message.channel,
                "to": message.to,
                "text": message.text,
                "template": message.template,
                "locale": message.locale,
                "parameters": dict(message.parameters),
                "sender": self.settings.sms_sender or None,
                "template_id": find_id(self.settings.sms_template_ids, message),
            }
        )
        now = self.clock.now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.signature.sign(message.id, now, body),
        }
        try:
            async with self.http.post(
                self.settings.sms_webhook_url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status, retry_header = answer.status, answer.headers.get("Retry-After")
        except ClientConnectorError:
            raise ProviderError("the webhook cannot be reached") from None
        except (ClientError, OSError) as broken:
            raise OutcomeUnknownError(f"the webhook: {type(broken).__name__}") from None
        if status in SUCCESS:
            return
        if status in REFUSED and status != TOO_MANY:
            raise MessageRefusedError(f"the webhook answered {status}")
        raise ProviderError(f"the webhook answered {status}", retry_after(retry_header))


@contextlib.asynccontextmanager
async def open_webhook(settings: WebhookSettings, clock: Clock) -> AsyncIterator[Webhook]:
    """Open the provider; closes its connections at the end."""
    signature = Signature(settings.sms_webhook_secret.get_secret_value())
    async with ClientSession(timeout=TIMEOUT) as http:
        yield Webhook(http, settings, signature, clock)
