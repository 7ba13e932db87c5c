"""The interface of a provider, and opening those that the settings name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from typing import Protocol

from auth_service.delivery.console import Console, Inbox
from auth_service.delivery.model import Message
from auth_service.destination import Channel
from auth_service.settings import AuthSettings
from shared.clock import Clock


class Provider(Protocol):
    """Sends messages by SMS or mail."""

    name: str

    async def send(self, message: Message) -> None:
        """Hand one message over.

        Raises:
            ProviderError: it was not taken, or the outcome is unknown; see the subclasses.
        """
        ...


@asynccontextmanager
async def open_providers(
    settings: AuthSettings, inbox: Inbox, clock: Clock
) -> AsyncIterator[Mapping[Channel, Sequence[Provider]]]:
    """Open each channel's providers, in their order of preference."""

    def provider(name: str) -> AbstractAsyncContextManager[Provider]:
        if name == "console":
            return nullcontext(Console(inbox))
        if name == "twilio":
            # Imported when configured: the SDK costs 20 MB and 150 ms.
            from auth_service.delivery.twilio import open_twilio  # noqa: PLC0415

            return open_twilio(settings)
        if name == "webhook":
            from auth_service.delivery.webhook import open_webhook  # noqa: PLC0415

            return open_webhook(settings, clock)
        # Imported when configured, as the others.
        from auth_service.delivery.smtp import open_smtp  # noqa: PLC0415

        url = settings.smtp_url if name == "smtp" else settings.smtp2_url
        return open_smtp(name, url.get_secret_value(), settings.mail_from, clock)

    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        sms = [await enter(provider(name)) for name in settings.sms_providers]
        email = [await enter(provider(name)) for name in settings.email_providers]
        yield {"sms": sms, "email": email}
