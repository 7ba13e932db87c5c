"""What fell due before media_service published is not announced years later."""

from datetime import UTC, datetime, timedelta

import asyncpg

from migrations.run import FOLDERS, migrate_down, migrate_up
from tests.support.databases import Databases

INSERT = """
insert into creatives (id, user_id, file_name, content_type, size, width, height, sha256, due_at,
                       timezone, status, variants, created_at, updated_at)
select gen_random_uuid(), gen_random_uuid(), 'a.jpg', 'image/jpeg', 1, 1, 1, sha256('x'),
       now() + days * interval '1 day', 'UTC', status, '{original}', now(), now()
from unnest($1::int[], $2::text[]) old (days, status)
"""
COLUMNS = """
select array_agg(column_name::text order by ordinal_position) from information_schema.columns
where table_name = 'creatives'"""
STATE = """
select status, version, updated_at > $1 as touched, creative_id from creatives
left join publications on creative_id = id order by due_at, status"""


async def test_upgrade_marks_past_creatives_published_without_an_event(
    databases: Databases,
) -> None:
    folder = FOLDERS / "media"
    async with databases.create("media") as dsn:
        while (await migrate_down(dsn, folder) or "").partition("_")[0] != "0008":
            pass
        db = await asyncpg.connect(dsn, statement_cache_size=0)
        before = await db.fetchval(COLUMNS)
        days = [-900, -900, -1, 1, 1]
        states = ["cancelled", "scheduled", "scheduled", "cancelled", "scheduled"]
        await db.execute(INSERT, days, states)
        start = datetime.now(UTC) - timedelta(seconds=1)
        await db.execute("update creatives set updated_at = $1", start)
        await migrate_up(dsn, folder)
        # The release before reads whole rows, so it would not know a new column.
        assert await db.fetchval(COLUMNS) == before
        assert [tuple(row) for row in await db.fetch(STATE, start)] == [
            ("cancelled", 1, False, None),
            ("published", 2, True, None),
            ("published", 2, True, None),
            ("cancelled", 1, False, None),
            ("scheduled", 1, False, None),
        ]
        assert await db.fetchval("select count(*) from events") == 0
        await db.close()
