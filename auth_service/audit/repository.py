"""The table of events: rows are inserted, read, and removed by age; never changed."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from auth_service.audit.model import EventFilter, StoredEvent
from auth_service.event.repository import record_events_sql, user_rows_sql
from shared.clock import milliseconds
from shared.db import Database, Executor, Record

_FIELDS = tuple(field.name for field in fields(StoredEvent))
COLUMNS = ", ".join(_FIELDS)

_ITS_USER = "(SELECT * FROM users WHERE id = ($1::jsonb ->> 'user_id')::uuid) AS its_user"
INSERT_EVENT = f"""
WITH event AS (
    INSERT INTO audit_events ({COLUMNS})
    SELECT {COLUMNS} FROM jsonb_populate_record(NULL::audit_events, $1)
)
{record_events_sql(user_rows_sql(1, _ITS_USER))}"""

# The table refuses to delete rows younger than half a year.
REMOVE_OLDER = """
DELETE FROM audit_events WHERE id IN (
    SELECT id FROM audit_events WHERE id < $3 AND created_at < $1 ORDER BY id LIMIT $2)"""


EVENTS_OF_USER = f"""
SELECT {COLUMNS} FROM audit_events WHERE user_id = $1 AND id > $3 ORDER BY id LIMIT $2"""

# One statement for each combination: a common one could use no index.
LISTS = {
    (of_user, of_event): f"""
SELECT {COLUMNS} FROM audit_events
WHERE id < $1 AND created_at >= $2 AND created_at < $3
  AND id >= $4 AND id <= $5
  {"AND user_id = $7" if of_user else ""}
  {f"AND event = ${8 if of_user else 7}" if of_event else ""}
ORDER BY id DESC LIMIT $6"""
    for of_user in (True, False)
    for of_event in (True, False)
}
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def insert_event_sql(parameter: int, source: str, **columns: str) -> str:
    """Return the body of a CTE that inserts an event for each row of `source`.

    `parameter`: the number of the statement's parameter that gets `AuditLog.to_json(event)`.
    `columns`: columns that only the statement knows, as SQL, such as `user_id="u.id"`.
    """
    pairs = ", ".join(f"'{column}', {value}" for column, value in columns.items())
    row = f"${parameter}::jsonb || jsonb_build_object({pairs})"
    selected = ", ".join(f"e.{column}" for column in _FIELDS)
    return (
        f"INSERT INTO audit_events ({COLUMNS}) SELECT {selected}"
        f" FROM {source}, jsonb_populate_record(NULL::audit_events, {row}) e"
    )


async def insert_event(executor: Executor, event_json: str) -> None:
    """Insert an event, and that of webhooks with the user as stored now."""
    await executor.execute(INSERT_EVENT, event_json)


def event_from_row(row: Record) -> StoredEvent:
    """Return the event that a row with `COLUMNS` holds."""
    return StoredEvent(**{**row, "details": json.loads(row["details"])})


async def list_events(
    database: Database, filter_: EventFilter, before: UUID, limit: int
) -> list[StoredEvent]:
    """Return up to `limit` events whose ids come before `before`, the newest first."""
    since, until = filter_.since or EARLIEST, filter_.until or LATEST
    chosen = [value for value in (filter_.user_id, filter_.event) if value is not None]
    query = LISTS[filter_.user_id is not None, filter_.event is not None]
    arguments: list[Any] = [before, since, until, _first_of(since), _last_of(until)]
    rows = await database.fetch(query, *arguments, limit, *chosen)
    return [event_from_row(row) for row in rows]


def _first_of(moment: datetime) -> UUID:
    """Return the lowest id of the moment's millisecond."""
    return UUID(int=min(max(milliseconds(moment), 0), 2**48 - 1) << 80)


def _last_of(moment: datetime) -> UUID:
    return UUID(int=_first_of(moment).int | 2**80 - 1)


async def remove_older(database: Database, moment: datetime, limit: int) -> int:
    """Remove up to `limit` events from before `moment`; return how many."""
    status: str = await database.execute(REMOVE_OLDER, moment, limit, _first_of(moment))
    return int(status.rpartition(" ")[2])
