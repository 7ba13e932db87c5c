"""SMS by Twilio's own SDK."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientConnectorError, ClientError
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from auth_service.delivery.errors import (
    SERVER_ERROR,
    TOO_MANY,
    MessageRefusedError,
    OutcomeUnknownError,
    ProviderError,
    retry_after,
)
from auth_service.delivery.model import Message
from auth_service.delivery.template_ids import find_id
from auth_service.settings.twilio import TwilioSettings

_retry_after: ContextVar[float] = ContextVar("retry_after", default=0)
CONTENT_VARIABLES = ("code", "minutes", "brand")
"""The values of a content template's variables 1, 2 and 3."""
CALLBACK = "/v1/auth/callbacks/twilio"


class _RetryAfterClient(AsyncTwilioHttpClient):  # type: ignore[misc] # the SDK is untyped
    """The SDK's errors drop the answer's headers, and with them `Retry-After`."""

    async def request(self, *args: Any, **kwargs: Any) -> Response:
        response = await super().request(*args, **kwargs)
        _retry_after.set(retry_after((response.headers or {}).get("Retry-After")))
        return response


@dataclass(frozen=True, slots=True)
class Twilio:
    """Hands SMS to Twilio. The time-out is the sender's: the SDK ignores its own.

    `parameters`: those of every message, such as the sender. `content_sids`: content templates.
    """

    name = "twilio"

    client: Client
    parameters: dict[str, str]
    content_sids: tuple[str, ...]

    async def send(self, message: Message) -> None:
        """Hand one message over.

        Raises:
            MessageRefusedError: Twilio will never take it.
            ProviderError: Twilio could not be reached, or answered 429 or 5xx.
            OutcomeUnknownError: the connection broke, or the answer is unreadable.
        """
        try:
            await self.client.messages.create_async(
                to=message.to, **self._content(message), **self.parameters
            )
        except TwilioRestException as refused:
            reason = f"twilio answered {refused.status}, code {refused.code}"
            if refused.status < SERVER_ERROR and refused.status != TOO_MANY:
                raise MessageRefusedError(reason) from None
            raise ProviderError(reason, _retry_after.get()) from None
        except ClientConnectorError:
            raise ProviderError("twilio cannot be reached") from None
        except (TwilioException, ClientError, OSError, ValueError, TypeError, KeyError) as failed:
            raise OutcomeUnknownError(f"twilio: {type(failed).__name__}") from None

    def _content(self, message: Message) -> dict[str, str]:
        """Return the text, or the registered template with the values that it names by number."""
        content = find_id(self.content_sids, message)
        if content is None:
            return {"body": message.text}
        values = [message.parameters.get(name) for name in CONTENT_VARIABLES]
        numbered = {str(number): value for number, value in enumerate(values, 1) if value}
        return {"content_sid": content, "content_variables": json.dumps(numbered)}


def _connect(settings: TwilioSettings, http: AsyncTwilioHttpClient) -> Client:
    key = settings.twilio_api_key
    secret = settings.twilio_api_secret if key else settings.twilio_auth_token
    client = Client(
        key or settings.twilio_account_sid,
        secret.get_secret_value(),
        account_sid=settings.twilio_account_sid,
        http_client=http,
    )
    if settings.twilio_base_url:
        client.api.base_url = settings.twilio_base_url
    client.messages  # noqa: B018 - the first look builds the API tree, 50 ms, so not on the loop
    return client


def _parameters(settings: TwilioSettings) -> dict[str, str]:
    service = settings.twilio_messaging_service_sid
    sender = (
        {"messaging_service_sid": service} if service else {"from_": settings.twilio_phone_number}
    )
    if settings.public_url_is_loopback:
        return sender
    return sender | {"status_callback": settings.public_url.rstrip("/") + CALLBACK}


@contextlib.asynccontextmanager
async def open_twilio(settings: TwilioSettings) -> AsyncIterator[Twilio]:
    """Open a connected provider; closes the SDK's session at the end."""
    async with _RetryAfterClient() as http:
        client = await asyncio.to_thread(_connect, settings, http)
        yield Twilio(client, _parameters(settings), settings.twilio_content_sids)
