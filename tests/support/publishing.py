"""Creatives that fall due, by SQL, and what publishers made of them."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.support.database import Connection

INSERT = """
insert into creatives (id, user_id, file_name, content_type, size, width, height, sha256, due_at,
                       timezone, variants, created_at, updated_at)
select coalesce($1, gen_random_uuid()), $2, 'a.jpg', 'image/jpeg', 1, 1, 1, sha256('x'), due_at,
       'UTC', '{original}', $4, $4
from unnest($3::timestamptz[]) due_at
"""
OWNER = UUID(int=5)


async def create_due(
    db: Connection, *due: datetime, created: datetime | None = None, one: UUID | None = None
) -> None:
    """Creatives that fall due then."""
    await db.execute(INSERT, one, OWNER, due, created or min(due) - timedelta(days=1))


async def creative_row(db: Connection, creative_id: UUID) -> dict[str, Any]:
    found = await db.fetchrow("select * from creatives where id = $1", creative_id)
    assert found is not None
    return dict(found)


async def all_events(db: Connection) -> list[dict[str, Any]]:
    """Every event, in the order in which they happened."""
    found = await db.fetch("select * from events order by position")
    return [dict(one) | {"data": json.loads(one["data"])} for one in found]


async def count_published(db: Connection) -> tuple[int, int, int]:
    """How many creatives are published, have a time of publication, and an event."""
    found = await db.fetchrow(
        """select (select count(*) from creatives where status = 'published'),
                  (select count(*) from publications), (select count(*) from events)"""
    )
    assert found is not None
    return tuple(found)


async def cancel_creative(db: Connection, creative_id: UUID) -> None:
    await db.execute(
        "update creatives set status = 'cancelled', version = version + 1 where id = $1",
        creative_id,
    )
