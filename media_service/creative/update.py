"""What becomes of a creative that its owner changes: another title, another day, or none."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, CreativeUpdate, Status
from media_service.creative.schedule_time import resolve_due_at
from media_service.creative.service import get_own_creative
from media_service.creative.timezones import TimezoneRegistry
from shared.db import Database
from shared.errors import Conflict, VersionMismatch
from shared.if_match import IfMatch

log = structlog.get_logger()


async def update_creative(
    database: Database,
    timezones: TimezoneRegistry,
    creative_id: UUID,
    user_id: UUID,
    *,
    expected: IfMatch,
    change: CreativeUpdate,
    now: datetime,
) -> Creative:
    """Return the user's creative as it is after the change; of two at once, one is made.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not, or no longer, a version that is expected.
        Conflict: it is no longer on its way.
        ScheduledInPast, ValidationFailed: it cannot be due then.
    """
    current = await get_own_creative(database, creative_id, user_id)
    expected.check(current.version)
    changed = await _apply_update(current, change, timezones, now)
    async with database.connection() as connection:
        stored = await repository.update(connection, changed)
    if stored is None:
        raise VersionMismatch
    log.info("creative.changed", creative_id=str(creative_id), version=stored.version)
    return stored


async def _apply_update(
    current: Creative, change: CreativeUpdate, timezones: TimezoneRegistry, now: datetime
) -> Creative:
    if (change.when or change.timezone) and current.status is not Status.SCHEDULED:
        raise Conflict(f"a creative that is {current.status} cannot be rescheduled")
    if change.cancels and current.status not in {Status.SCHEDULED, Status.CANCELLED}:
        raise Conflict(f"a creative that is {current.status} cannot be cancelled")
    timezone = change.timezone or current.timezone
    zone = await timezones.require(timezone)
    return replace(
        current,
        title=current.title if change.title is None else change.title or None,
        timezone=timezone,
        due_at=resolve_due_at(change.when, zone, now) if change.when else current.due_at,
        status=Status.CANCELLED if change.cancels else current.status,
        updated_at=now,
    )
