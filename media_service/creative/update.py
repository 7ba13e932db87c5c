"""What becomes of a creative that its owner changes: another title, another day, or none."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import Change, Creative, Status
from media_service.creative.schedule_time import due_at
from media_service.creative.service import require_own
from media_service.creative.timezones import Zones
from shared.db import Database
from shared.errors import Conflict, VersionMismatch
from shared.if_match import IfMatch

log = structlog.get_logger()


async def change_creative(
    database: Database,
    zones: Zones,
    creative_id: UUID,
    user_id: UUID,
    *,
    expected: IfMatch,
    change: Change,
    now: datetime,
) -> Creative:
    """Return the user's creative as it is after the change; of two at once, one is made.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not, or no longer, a version that is expected.
        Conflict: it is no longer on its way.
        ScheduledInPast, ValidationFailed: it cannot be due then.
    """
    current = await require_own(database, creative_id, user_id)
    expected.check(current.version)
    changed = await _changed(current, change, zones, now)
    async with database.connection() as connection:
        stored = await repository.replace(connection, changed)
    if stored is None:
        raise VersionMismatch
    log.info("creative.changed", creative_id=str(creative_id), version=stored.version)
    return stored


async def _changed(current: Creative, change: Change, zones: Zones, now: datetime) -> Creative:
    if (change.when or change.timezone) and current.status is not Status.SCHEDULED:
        raise Conflict(f"a creative that is {current.status} cannot be rescheduled")
    if change.cancels and current.status not in {Status.SCHEDULED, Status.CANCELLED}:
        raise Conflict(f"a creative that is {current.status} cannot be cancelled")
    timezone = change.timezone or current.timezone
    zone = await zones.require(timezone)
    return replace(
        current,
        title=current.title if change.title is None else change.title or None,
        timezone=timezone,
        due_at=due_at(change.when, zone, now) if change.when else current.due_at,
        status=Status.CANCELLED if change.cancels else current.status,
        updated_at=now,
    )
