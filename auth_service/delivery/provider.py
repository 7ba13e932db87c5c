"""What the worker needs of a provider, and the list of those that the settings name."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from auth_service.delivery.console import Console, Inbox
from auth_service.delivery.model import Message
from auth_service.settings import AuthSettings


class Provider(Protocol):
    """Hands messages to the world."""

    name: str

    async def send(self, message: Message) -> None:
        """Hand one message over.

        Raises:
            ProviderError: it was not taken; the subclass says whether trying again makes sense.
        """
        ...


@contextlib.asynccontextmanager
async def open_providers(settings: AuthSettings, inbox: Inbox) -> AsyncIterator[Sequence[Provider]]:
    """Open the SMS providers in the order in which they are tried."""
    async with contextlib.AsyncExitStack() as stack:
        providers: list[Provider] = []
        for name in settings.sms_providers:
            if name == "twilio":
                # Imported when configured: the SDK costs 20 MB and 150 ms.
                from auth_service.delivery.twilio import open_twilio  # noqa: PLC0415

                providers.append(await stack.enter_async_context(open_twilio(settings)))
            else:
                providers.append(Console(inbox))
        yield providers
