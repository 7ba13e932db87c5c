"""What falls due on the caller's days."""

from datetime import datetime
from uuid import UUID

from media_service.creative.timezones import TimezoneRegistry
from media_service.schedule.loader import ScheduleLoader
from media_service.schedule.model import DayBounds


async def get_schedule(
    loader: ScheduleLoader,
    timezones: TimezoneRegistry,
    *,
    user_id: UUID,
    timezone: str,
    now: datetime,
) -> bytes:
    """Return today's and tomorrow's creatives as JSON, as the database wrote it.

    Raises:
        ValidationFailed: there is no such zone.
    """
    zone = await timezones.require(timezone)
    return await loader.read(user_id, DayBounds.at(now, zone))
