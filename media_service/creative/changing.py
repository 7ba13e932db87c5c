"""What becomes of a creative that its owner changes: another title, another day, or none."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.due import due_at, parse_when
from media_service.creative.model import Creative, Status
from media_service.creative.schemas import CreativeChange
from media_service.creative.service import get_creative
from media_service.creative.zone import Zones
from shared.db import Database
from shared.errors import Conflict, VersionMismatch
from shared.precondition import Expected

log = structlog.get_logger()


async def change_creative(
    database: Database,
    zones: Zones,
    creative_id: UUID,
    user_id: UUID,
    *,
    expected: Expected,
    change: CreativeChange,
    now: datetime,
) -> Creative:
    """Return the user's creative as it is after the change; of two at once, one is made.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not, or no longer, a version that is expected.
        Conflict: it is no longer on its way.
        ScheduledInPast, ValidationFailed: it cannot be due then.
    """
    current = await get_creative(database, creative_id, user_id)
    expected.check(current.version)
    changed = await _changed(current, change, zones, now)
    async with database.connection() as connection:
        stored = await repository.replace(connection, changed)
    if stored is None:
        raise VersionMismatch
    log.info("creative.changed", creative_id=str(creative_id), version=stored.version)
    return stored


async def _changed(
    current: Creative, change: CreativeChange, zones: Zones, now: datetime
) -> Creative:
    given = change.model_fields_set
    if given & {"scheduled_at", "timezone"} and current.status is not Status.SCHEDULED:
        raise Conflict(f"a creative that is {current.status} cannot be rescheduled")
    if change.status and current.status not in {Status.SCHEDULED, Status.CANCELLED}:
        raise Conflict(f"a creative that is {current.status} cannot be cancelled")
    timezone = change.timezone or current.timezone
    zone = await zones.require(timezone)
    when = parse_when(change.scheduled_at) if change.scheduled_at else None
    return replace(
        current,
        title=change.title if "title" in given else current.title,
        timezone=timezone,
        due_at=due_at(when, zone, now) if when else current.due_at,
        status=Status.CANCELLED if change.status else current.status,
        updated_at=now,
    )
