"""The language that the recipient of a message has chosen."""

import asyncio
from dataclasses import dataclass

import structlog

from auth_service.destination import Channel
from auth_service.user.repository import find_locale
from shared.db import Database
from shared.errors import ServiceUnavailable

LOOK_UP_SECONDS = 1.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecipientLocales:
    """Looks the language up when a message is sent, so that a request for a code does not wait."""

    database: Database

    async def find(self, channel: Channel, address: str) -> str | None:
        """Return the locale of the address's owner; None without one, or without the database.

        A message in another language is better than none.
        """
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return await find_locale(self.database, channel, address)
        except (ServiceUnavailable, TimeoutError) as away:
            log.warning("recipient_locale.look_up_failed", reason=type(away).__name__)
            return None
