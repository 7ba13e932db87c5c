"""Webhooks have alike tables in both databases, since `shared/webhooks` has their statements."""

import asyncpg
import pytest

from tests.support.databases import Databases

COLUMNS = """
select column_name, data_type, is_nullable, column_default, is_identity
from information_schema.columns where table_name = $1 order by column_name
"""
INDEXES = "select indexdef from pg_indexes where tablename = $1 order by indexdef"
CONSTRAINTS = """
select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass order by 1
"""


async def shape(databases: Databases, database: str, table: str) -> list[list[tuple[object, ...]]]:
    """Columns, indexes and constraints of a table, without the order of its columns."""
    async with databases.create(database) as dsn:
        connection = await asyncpg.connect(dsn)
        found = [
            [tuple(row) for row in await connection.fetch(query, table)]
            for query in (COLUMNS, INDEXES, CONSTRAINTS)
        ]
        await connection.close()
    return found


@pytest.mark.parametrize("table", ["webhook_endpoints", "webhook_deliveries"])
async def test_webhook_tables_of_both_services_are_alike(databases: Databases, table: str) -> None:
    shape_in_auth = await shape(databases, "auth", table)
    assert all(shape_in_auth)
    assert shape_in_auth == await shape(databases, "media", table)
