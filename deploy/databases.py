"""Two databases, two roles: each role may connect to its own database and to no other."""

import asyncpg

DATABASES = ("auth", "media")
ROLE = "select format('create role %I login', $1::text)"
PASSWORD = "select format('alter role %I password %L', $1::text, $2::text)"  # noqa: S105
DATABASE = "select format('create database %I owner %I', $1::text, $1::text)"
CLOSE = "select format('revoke all on database %I from public', $1::text)"
OPEN_DATABASES = "select datname from pg_database where datallowconn"


async def create_databases(administrator: str, passwords: dict[str, str], *, ours: bool) -> None:
    """Make what is missing, one database and role per name in `passwords`.

    With `ours`, the server is the embedded one, and its other databases are closed as well.
    """
    connection = await asyncpg.connect(administrator)
    try:
        for name, password in passwords.items():
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", name):
                await _execute(connection, ROLE, name)
            await _execute(connection, PASSWORD, name, password)
            if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
                await _execute(connection, DATABASE, name)
        found = [row["datname"] for row in await connection.fetch(OPEN_DATABASES)]
        for name in found if ours else passwords:
            await _execute(connection, CLOSE, name)
    finally:
        await connection.close()


async def _execute(
    connection: "asyncpg.Connection[asyncpg.Record]", template: str, *values: str
) -> None:
    """Execute what takes no parameters, with the values quoted by the server itself."""
    await connection.execute(await connection.fetchval(template, *values))
