"""Create the two databases with one role each, which may connect to no other database."""

import asyncpg

DATABASES = ("auth", "media")
CREATE_ROLE = "select format('create role %I login', $1::text)"
SET_PASSWORD = "select format('alter role %I password %L', $1::text, $2::text)"  # noqa: S105
CREATE_DATABASE = "select format('create database %I owner %I', $1::text, $1::text)"
REVOKE_PUBLIC = "select format('revoke all on database %I from public', $1::text)"
CONNECTABLE_DATABASES = "select datname from pg_database where datallowconn"


async def create_databases(
    administrator: str, passwords: dict[str, str], *, close_all: bool
) -> None:
    """Create one database and role for each name in `passwords`; existing ones are kept.

    `close_all` takes the right to connect from other roles in every database of the server.
    """
    connection = await asyncpg.connect(administrator)
    try:
        for name, password in passwords.items():
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", name):
                await _execute(connection, CREATE_ROLE, name)
            await _execute(connection, SET_PASSWORD, name, password)
            if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
                await _execute(connection, CREATE_DATABASE, name)
        connectable = [row["datname"] for row in await connection.fetch(CONNECTABLE_DATABASES)]
        for name in connectable if close_all else passwords:
            await _execute(connection, REVOKE_PUBLIC, name)
    finally:
        await connection.close()


async def _execute(
    connection: "asyncpg.Connection[asyncpg.Record]", template: str, *values: str
) -> None:
    """Execute a statement that takes no parameters; the server quotes the values."""
    await connection.execute(await connection.fetchval(template, *values))
