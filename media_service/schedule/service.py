"""What falls due on the caller's days."""

from datetime import datetime
from uuid import UUID

from media_service.creative.timezones import Zones
from media_service.schedule.loader import Schedules
from media_service.schedule.model import Days


async def scheduled(
    schedules: Schedules, zones: Zones, *, user_id: UUID, timezone: str, now: datetime
) -> bytes:
    """Return today's and tomorrow's creatives as JSON, as the database wrote it.

    Raises:
        ValidationFailed: there is no such zone.
    """
    zone = await zones.require(timezone)
    return await schedules.read(user_id, Days.around(now, zone))
