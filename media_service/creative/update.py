"""The use case that changes a creative: another title, another day, or cancelled."""

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
from shared.if_match import OwnVersion

log = structlog.get_logger()


async def update_creative(
    database: Database,
    timezones: TimezoneRegistry,
    target: OwnVersion[UUID],
    update: CreativeUpdate,
    now: datetime,
) -> Creative:
    """Return the user's creative after the change; of two concurrent changes, one fails.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not, or no longer, an expected one.
        Conflict: its status does not allow the update.
        ScheduledInPast, ValidationFailed: it cannot be due then.
    """
    current = await get_own_creative(database, target.id, target.user_id)
    target.expected.check(current.version)
    changed = await _apply_update(current, update, timezones, now)
    async with database.connection() as connection:
        stored = await repository.update(connection, changed)
    if stored is None:
        raise VersionMismatch
    log.info("creative.changed", creative_id=str(target.id), version=stored.version)
    return stored


async def _apply_update(
    current: Creative, update: CreativeUpdate, timezones: TimezoneRegistry, now: datetime
) -> Creative:
    if (update.when or update.timezone) and current.status is not Status.SCHEDULED:
        raise Conflict(f"a creative that is {current.status} cannot be rescheduled")
    if update.cancels and current.status not in {Status.SCHEDULED, Status.CANCELLED}:
        raise Conflict(f"a creative that is {current.status} cannot be cancelled")
    timezone = update.timezone or current.timezone
    zone = await timezones.require(timezone)
    return replace(
        current,
        title=current.title if update.title is None else update.title or None,
        timezone=timezone,
        due_at=resolve_due_at(update.when, zone, now) if update.when else current.due_at,
        status=Status.CANCELLED if update.cancels else current.status,
        updated_at=now,
    )
