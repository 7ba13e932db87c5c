"""The table of events: appended to, read, and shortened at its old end; never changed."""

from datetime import datetime

from shared.db import Connection, Database

COLUMNS = (
    "id, event, outcome, user_id, actor_id, session_id, address, user_agent, request_id, details,"
    " created_at"
)

APPEND = f"""
INSERT INTO audit_events ({COLUMNS})
SELECT {COLUMNS} FROM jsonb_populate_record(NULL::audit_events, $1)"""

# The table refuses to lose what is younger than half a year.
REMOVE_OLDER = """
DELETE FROM audit_events WHERE id IN (
    SELECT id FROM audit_events WHERE created_at < $1 ORDER BY id LIMIT $2)"""


def appending(parameter: int, source: str, **known: str) -> str:
    """Return the body of a CTE that appends an event for each row of `source`.

    The statement takes `Audit.packed(event)` as the parameter of that number. `known`: columns
    that only the statement knows, as SQL, such as `user_id="u.id"`.
    """
    pairs = ", ".join(f"'{column}', {value}" for column, value in known.items())
    row = f"${parameter}::jsonb || jsonb_build_object({pairs})"
    columns = ", ".join(f"e.{column.strip()}" for column in COLUMNS.split(","))
    return (
        f"INSERT INTO audit_events ({COLUMNS}) SELECT {columns}"
        f" FROM {source}, jsonb_populate_record(NULL::audit_events, {row}) e"
    )


async def append(connection: Connection, packed: str) -> None:
    """Add an event."""
    await connection.execute(APPEND, packed)


async def remove_older(database: Database, moment: datetime, limit: int) -> int:
    """Remove up to `limit` events from before `moment`; return how many."""
    async with database.connection() as connection:
        status: str = await connection.execute(REMOVE_OLDER, moment, limit)
    return int(status.rpartition(" ")[2])
