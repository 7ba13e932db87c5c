"""What falls due on the caller's days."""

from datetime import datetime
from uuid import UUID

from media_service.creative.zone import Zones
from media_service.schedule import repository
from media_service.schedule.model import Days
from shared.db import Database


async def scheduled(
    database: Database, zones: Zones, *, user_id: UUID, timezone: str, now: datetime
) -> bytes:
    """Return today's and tomorrow's creatives as JSON, as the database wrote it.

    Raises:
        ValidationFailed: there is no such zone.
    """
    zone = await zones.require(timezone)
    async with database.connection() as connection:
        text = await repository.scheduled(connection, user_id, Days.around(now, zone))
    return text.encode()
