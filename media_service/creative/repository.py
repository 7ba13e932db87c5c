"""Every statement on `creatives` and `due_days`, except the schedule's and the feed's."""

from dataclasses import fields
from datetime import date
from operator import attrgetter
from uuid import UUID

from media_service.creative.model import Creative, CreativeFilter, Status
from shared.db import Connection, Executor, Record, parameters
from shared.if_match import OwnVersion

_COLUMNS = [field.name for field in fields(Creative) if field.name != "published_at"]
PUBLISHED_AT = "(SELECT published_at FROM publications WHERE creative_id = creatives.id)"
_ROW = f"{', '.join(_COLUMNS)}, {PUBLISHED_AT} AS published_at"
INSERT = f"""
INSERT INTO creatives ({", ".join(_COLUMNS)}) VALUES ({parameters(_COLUMNS)})
"""

STORE_DAY = """
INSERT INTO due_days (creative_id, due_day) VALUES ($1, $2)
ON CONFLICT (creative_id) DO UPDATE SET due_day = excluded.due_day
"""

FIND = f"SELECT {_ROW} FROM creatives WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)"

_PAGE = f"""
SELECT {_ROW} FROM creatives
WHERE (due_at, id) > ($1, $2) AND due_at < $3 AND ($4::text IS NULL OR status = $4) {{}}
ORDER BY due_at, id
LIMIT $5
"""
PAGE_OF_EVERYBODY = _PAGE.format("")
PAGE_OF_USER = _PAGE.format("AND user_id = $6")

UPDATE = f"""
UPDATE creatives
SET title = $4, due_at = $5, timezone = $6, status = $7, updated_at = $8, version = version + 1
WHERE id = $1 AND user_id = $2 AND version = $3
RETURNING {_ROW}
"""
"""Every change increments the version, so the version identifies the whole row."""
_UPDATE_VALUES = attrgetter(
    "id", "user_id", "version", "title", "due_at", "timezone", "status", "updated_at"
)

DELETE = """
DELETE FROM creatives
WHERE id = $1 AND user_id = $2 AND ($3::int[] IS NULL OR version = ANY ($3))
RETURNING true
"""

DELETE_BATCH = """
DELETE FROM creatives WHERE id IN (SELECT id FROM creatives WHERE user_id = $1 LIMIT $2)
"""

DELETE_LOST = "DELETE FROM creatives WHERE id = $1"


def publish_sql(claimed: str) -> str:
    """Return the body of a CTE that publishes creatives at `$1`.

    `claimed`: the CTE with their `creative_id`, whose other columns are returned too.
    """
    return f"""
UPDATE creatives SET status = 'published', updated_at = $1, version = version + 1
FROM {claimed} WHERE id = creative_id
RETURNING *
"""


def settle_sql(verdict: str) -> str:
    """Return the body of a CTE that makes the creative `$1` failed, or published again, at `$3`.

    `verdict`: the CTE that says whether its webhooks `gave_up`, and whether one was `delivered`.
    """
    return f"""
UPDATE creatives
SET status = CASE status WHEN 'published' THEN 'failed' ELSE 'published' END, updated_at = $3,
    version = version + 1
FROM {verdict}
WHERE id = $1 AND (status = 'published' AND gave_up OR status = 'failed' AND delivered)
RETURNING creatives.*
"""


async def insert(connection: Connection, creative: Creative) -> None:
    """Write a new row."""
    await connection.execute(INSERT, *attrgetter(*_COLUMNS)(creative))


async def store_day(connection: Connection, creative_id: UUID, day: date | None) -> None:
    """Store the day that the client gave, None for a time, in the transaction that schedules it."""
    await connection.execute(STORE_DAY, creative_id, day)


async def find(executor: Executor, creative_id: UUID, owner: UUID | None) -> Creative | None:
    """Return the creative, if `owner` is None or owns it; None when there is none."""
    row = await executor.fetchrow(FIND, creative_id, owner)
    return _creative(row) if row else None


async def page(executor: Executor, owner: UUID | None, selection: CreativeFilter) -> list[Creative]:
    """Return one page of the owner's creatives, of all users' if None, by due time and id."""
    start = selection.after
    bounds = (start.moment, start.id, selection.until, selection.status, selection.limit)
    if owner is None:
        rows = await executor.fetch(PAGE_OF_EVERYBODY, *bounds)
    else:
        rows = await executor.fetch(PAGE_OF_USER, *bounds, owner)
    return [_creative(row) for row in rows]


async def update(executor: Executor, changed: Creative) -> Creative | None:
    """Store the changes as the next version; return None when the version is not the latest."""
    row = await executor.fetchrow(UPDATE, *_UPDATE_VALUES(changed))
    return _creative(row) if row else None


async def delete(executor: Executor, target: OwnVersion[UUID]) -> bool:
    """Delete the user's creative, if its version is expected; return False when there was none.

    In the same statement, a trigger queues its files in `removals`.
    """
    versions = target.expected.version_list
    return await executor.fetchval(DELETE, target.id, target.user_id, versions) is not None


def _creative(row: Record) -> Creative:
    values = dict(row)
    return Creative(
        **values | {"status": Status(values["status"]), "variants": tuple(values["variants"])}
    )
