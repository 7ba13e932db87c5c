"""Apply migrations: `python -m migrations.run up|down|new NAME [--database auth|media]`.

`AUTH_DATABASE_URL` and `MEDIA_DATABASE_URL` (or the same with `_FILE`) name the databases; `up`
without `--database` takes each one that is set.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from migrations.files import Block, Migration, MigrationError, create, read_folder

if TYPE_CHECKING:  # generic for the type checker only
    Connection = asyncpg.Connection[asyncpg.Record]

FOLDERS = Path(__file__).parent
DATABASES = ("auth", "media")
LOCK = 4_740_381_190  # any constant: runners of one database wait for each other on it
LOCK_POLL_SECONDS = 0.05

# The first table is dbmate's, as dbmate makes it; what only we keep is in a table of our own.
TABLES = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE IF NOT EXISTS public.schema_checksums (
    version varchar NOT NULL PRIMARY KEY,
    sha256  varchar NOT NULL
);
"""
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
APPLIED = """
SELECT m.version, c.sha256
FROM public.schema_migrations m LEFT JOIN public.schema_checksums c USING (version)
"""
ADD = "INSERT INTO public.schema_migrations (version) VALUES ($1)"
ADD_CHECKSUM = """
INSERT INTO public.schema_checksums (version, sha256) VALUES ($1, $2)
ON CONFLICT (version) DO UPDATE SET sha256 = excluded.sha256
"""
REMOVE = "DELETE FROM public.schema_migrations WHERE version = $1"
REMOVE_CHECKSUM = "DELETE FROM public.schema_checksums WHERE version = $1"


async def migrate_up(dsn: str, folder: Path) -> list[str]:
    """Apply what is missing and return the names of those files, in order.

    Any number of runners may start at once: one works, the others find its work done. What the
    real dbmate applied counts as applied.

    Raises:
        MigrationError: a file is malformed, fails, or was changed after it had been applied.
    """
    migrations = read_folder(folder)
    async with _locked(dsn) as connection:
        applied = await _applied(connection)
        await _compare(connection, migrations, applied)
        missing = [one for one in migrations if one.version not in applied]
        for one in missing:
            async with _executed(connection, one, one.up):
                await connection.execute(ADD, one.version)
                await connection.execute(ADD_CHECKSUM, one.version, one.checksum)
    return [one.name for one in missing]


async def migrate_down(dsn: str, folder: Path) -> str | None:
    """Take the last applied migration back and return its name; None when there is none.

    Raises:
        MigrationError: its file is missing, malformed, or fails.
    """
    files = {one.version: one for one in read_folder(folder)}
    async with _locked(dsn) as connection:
        last = max(await _applied(connection), default=None)
        if last is None:
            return None
        if last not in files:
            message = f"{last} is applied, but {folder} has no file for it"
            raise MigrationError(message)
        async with _executed(connection, files[last], files[last].down):
            await connection.execute(REMOVE, last)
            await connection.execute(REMOVE_CHECKSUM, last)
    return files[last].name


@asynccontextmanager
async def _locked(dsn: str) -> AsyncIterator["Connection"]:
    """Connect, and be the only runner in that database."""
    connection = await asyncpg.connect(dsn)
    try:
        # Asked again and again: one statement that waits would hold a snapshot all the while,
        # and another runner's `create index concurrently` waits for snapshots to go away.
        while not await connection.fetchval(TRY_LOCK, LOCK):  # noqa: ASYNC110 -- nobody tells us
            await asyncio.sleep(LOCK_POLL_SECONDS)
        await connection.execute("set client_min_messages = warning")
        await connection.execute(TABLES)
        yield connection
    finally:
        await connection.close()  # and the lock goes with it


@asynccontextmanager
async def _executed(
    connection: "Connection", migration: Migration, block: Block
) -> AsyncIterator[None]:
    """Run one direction of a migration and, in the same transaction, what notes it down."""
    try:
        async with connection.transaction() if block.transaction else nullcontext():
            await connection.execute(block.sql)
            yield
    except asyncpg.PostgresError as error:
        message = f"{migration.name}: {error}"
        raise MigrationError(message) from error


async def _applied(connection: "Connection") -> dict[str, str | None]:
    return {row["version"]: row["sha256"] for row in await connection.fetch(APPLIED)}


async def _compare(
    connection: "Connection", migrations: list[Migration], applied: dict[str, str | None]
) -> None:
    for one in (one for one in migrations if one.version in applied):
        known = applied[one.version]
        if known is None:  # dbmate applied it: from now on it is held to what it is today
            await connection.execute(ADD_CHECKSUM, one.version, one.checksum)
        elif known != one.checksum:
            message = f"{one.name} was changed after it had been applied: write a new one instead"
            raise MigrationError(message)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code; what went wrong is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        for line in asyncio.run(_run(options)):
            print(line)
    except (MigrationError, asyncpg.PostgresError, OSError) as error:
        print(f"migrations: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m migrations.run", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="apply what is missing")
    up.add_argument("--database", choices=DATABASES)
    down = commands.add_parser("down", help="take the last one back")
    down.add_argument("--database", choices=DATABASES, required=True)
    new = commands.add_parser("new", help="write an empty migration")
    new.add_argument("name")
    new.add_argument("--database", choices=DATABASES, required=True)
    return parser


async def _run(options: argparse.Namespace) -> list[str]:
    if options.command == "new":
        return [str(create(FOLDERS / options.database, options.name))]
    if options.command == "down":
        taken = await migrate_down(_dsn(options.database), FOLDERS / options.database)
        return [f"{options.database}: {taken or 'nothing to take back'}"]
    chosen = [options.database] if options.database else _configured()
    return [
        f"{database}: {name}"
        for database in chosen
        for name in await migrate_up(_dsn(database), FOLDERS / database) or ["nothing to do"]
    ]


def _configured() -> list[str]:
    found = [name for name in DATABASES if _setting(name)]
    if not found:
        message = "neither AUTH_DATABASE_URL nor MEDIA_DATABASE_URL is set"
        raise MigrationError(message)
    return found


def _dsn(database: str) -> str:
    dsn = _setting(database)
    if not dsn:
        message = f"{database.upper()}_DATABASE_URL is not set"
        raise MigrationError(message)
    return dsn


def _setting(database: str) -> str | None:
    name = f"{database.upper()}_DATABASE_URL"
    if value := os.environ.get(name):  # as the services' settings: the variable before the file
        return value
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else None


if __name__ == "__main__":
    sys.exit(main())
