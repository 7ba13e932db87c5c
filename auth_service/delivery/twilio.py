"""SMS by Twilio's own SDK."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientError
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from auth_service.delivery.errors import MessageRefusedError, ProviderError
from auth_service.delivery.model import Message
from auth_service.settings import AuthSettings

SEND_SECONDS = 2.0
TOO_MANY = 429
SERVER_ERROR = 500


class _BoundedHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc] # the SDK is untyped
    """The SDK's client ignores the time-out that it is constructed with."""

    async def request(self, *args: Any, **kwargs: Any) -> Response:
        async with asyncio.timeout(SEND_SECONDS):
            return await super().request(*args, **kwargs)


class Twilio:
    """Hands SMS to Twilio; each try has 2 s."""

    name = "twilio"

    def __init__(self, client: Client, sender: dict[str, str]) -> None:
        """`sender`: the SDK's `from_` or `messaging_service_sid`."""
        self._client = client
        self._sender = sender

    async def send(self, message: Message) -> None:
        """Hand one message over.

        Raises:
            MessageRefusedError: Twilio says that it will never take it.
            ProviderError: a time-out, a 429, a 5xx, or an answer that makes no sense.
        """
        try:
            await self._client.messages.create_async(
                to=message.to, body=message.text, **self._sender
            )
        except TwilioRestException as refused:
            permanent = refused.status < SERVER_ERROR and refused.status != TOO_MANY
            kind = MessageRefusedError if permanent else ProviderError
            raise kind(f"twilio answered {refused.status}, code {refused.code}") from None
        except (TwilioException, ClientError, OSError, TimeoutError, ValueError) as failed:
            raise ProviderError(f"twilio: {type(failed).__name__}") from None


def _connect(settings: AuthSettings, http: AsyncTwilioHttpClient) -> Client:
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


@contextlib.asynccontextmanager
async def open_twilio(settings: AuthSettings) -> AsyncIterator[Twilio]:
    """Open a connected provider; closes the SDK's session at the end."""
    async with _BoundedHttpClient() as http:
        client = await asyncio.to_thread(_connect, settings, http)
        service = settings.twilio_messaging_service_sid
        sender = (
            {"messaging_service_sid": service}
            if service
            else {"from_": settings.twilio_phone_number}
        )
        yield Twilio(client, sender)
