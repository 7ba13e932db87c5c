"""Apply migrations: `python -m migrations.run up|down|new NAME [--database auth|media]`.

`AUTH_DATABASE_URL` and `MEDIA_DATABASE_URL` (or the same with `_FILE`) name the databases; `up`
without `--database` migrates each database that is set.
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

from migrations.files import Block, Migration, MigrationError, create_migration, read_folder

if TYPE_CHECKING:  # generic for the type checker only
    Connection = asyncpg.Connection[asyncpg.Record]

FOLDERS = Path(__file__).parent
DATABASES = ("auth", "media")
LOCK = 4_740_381_190  # any constant; runners of one database take this lock in turn
LOCK_POLL_SECONDS = 0.05
CONNECT_SECONDS = 10

# The first table is dbmate's own; checksums, which dbmate does not keep, are in the second.
TABLES = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE IF NOT EXISTS public.schema_checksums (
    version varchar NOT NULL PRIMARY KEY,
    sha256  varchar NOT NULL
);
"""
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
SELECT_APPLIED = """
SELECT m.version, c.sha256
FROM public.schema_migrations m LEFT JOIN public.schema_checksums c USING (version)
"""
INSERT_VERSION = "INSERT INTO public.schema_migrations (version) VALUES ($1)"
INSERT_CHECKSUM = """
INSERT INTO public.schema_checksums (version, sha256) VALUES ($1, $2)
ON CONFLICT (version) DO UPDATE SET sha256 = excluded.sha256
"""
DELETE_VERSION = "DELETE FROM public.schema_migrations WHERE version = $1"
DELETE_CHECKSUM = "DELETE FROM public.schema_checksums WHERE version = $1"


async def migrate_up(dsn: str, folder: Path) -> list[str]:
    """Apply the missing migrations and return their file names, in order.

    Any number of runners may start at once: the first applies the files, and the others find them
    applied. Migrations that the real dbmate applied count too.

    Raises:
        MigrationError: a file is malformed, fails, or was edited after it had been applied.
    """
    migrations = read_folder(folder)
    async with _connect_locked(dsn) as connection:
        applied = await _applied_checksums(connection)
        await _verify_checksums(connection, migrations, applied)
        missing = [one for one in migrations if one.version not in applied]
        for one in missing:
            async with _execute_block(connection, one, one.up):
                await connection.execute(INSERT_VERSION, one.version)
                await connection.execute(INSERT_CHECKSUM, one.version, one.checksum)
    return [one.name for one in missing]


async def migrate_down(dsn: str, folder: Path) -> str | None:
    """Revert the last applied migration and return its name; None when none is applied.

    Raises:
        MigrationError: its file is missing, malformed, or fails.
    """
    files = {one.version: one for one in read_folder(folder)}
    async with _connect_locked(dsn) as connection:
        last = max(await _applied_checksums(connection), default=None)
        if last is None:
            return None
        if last not in files:
            raise MigrationError(f"{last} is applied, but {folder} has no file for it")
        async with _execute_block(connection, files[last], files[last].down):
            await connection.execute(DELETE_VERSION, last)
            await connection.execute(DELETE_CHECKSUM, last)
    return files[last].name


@asynccontextmanager
async def _connect_locked(dsn: str) -> AsyncIterator["Connection"]:
    """Connect, and hold the lock that makes this the only runner of the database."""
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        # Polls, because a statement that waits for the lock would hold a snapshot, and another
        # runner's `create index concurrently` waits for all older snapshots.
        while not await connection.fetchval(TRY_LOCK, LOCK):  # noqa: ASYNC110 -- only polling tells
            await asyncio.sleep(LOCK_POLL_SECONDS)
        await connection.execute("set client_min_messages = warning")
        await connection.execute(TABLES)
        yield connection
    finally:
        await connection.close()  # releases the lock


@asynccontextmanager
async def _execute_block(
    connection: "Connection", migration: Migration, block: Block
) -> AsyncIterator[None]:
    """Run one block of a migration; the caller records it in the same transaction."""
    try:
        async with connection.transaction() if block.in_transaction else nullcontext():
            await connection.execute(block.sql)
            yield
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name}: {error}") from error


async def _applied_checksums(connection: "Connection") -> dict[str, str | None]:
    return {row["version"]: row["sha256"] for row in await connection.fetch(SELECT_APPLIED)}


async def _verify_checksums(
    connection: "Connection", migrations: list[Migration], applied: dict[str, str | None]
) -> None:
    for one in (one for one in migrations if one.version in applied):
        checksum = applied[one.version]
        if checksum is None:  # dbmate applied it, so today's text counts from now on
            await connection.execute(INSERT_CHECKSUM, one.version, one.checksum)
        elif checksum != one.checksum:
            raise MigrationError(
                f"{one.name} was changed after it had been applied: write a new one instead"
            )


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code; an error is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        for line in asyncio.run(_run(options)):
            print(line)
    except TimeoutError:
        print("migrations: the database server does not answer", file=sys.stderr)
        return 1
    except (MigrationError, asyncpg.PostgresError, OSError) as error:
        print(f"migrations: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m migrations.run", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="apply the missing migrations")
    up.add_argument("--database", choices=DATABASES)
    down = commands.add_parser("down", help="revert the last applied migration")
    down.add_argument("--database", choices=DATABASES, required=True)
    new = commands.add_parser("new", help="write an empty migration")
    new.add_argument("name")
    new.add_argument("--database", choices=DATABASES, required=True)
    return parser


async def _run(options: argparse.Namespace) -> list[str]:
    if options.command == "new":
        return [str(create_migration(FOLDERS / options.database, options.name))]
    wanted = [options.database] if options.database else DATABASES
    urls = {name: url for name in wanted if (url := _database_url(name))}
    if not urls:
        names = " and ".join(f"{name.upper()}_DATABASE_URL" for name in wanted)
        raise MigrationError(f"not set: {names}")
    if options.command == "down":
        reverted = await migrate_down(urls[options.database], FOLDERS / options.database)
        return [f"{options.database}: {reverted or 'nothing to revert'}"]
    return [
        f"{database}: {name}"
        for database, url in urls.items()
        for name in await migrate_up(url, FOLDERS / database) or ["nothing to do"]
    ]


def _database_url(database: str) -> str | None:
    name = f"{database.upper()}_DATABASE_URL"
    if value := os.environ.get(name):  # as in the services, the variable wins over the file
        return value
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else None


if __name__ == "__main__":
    sys.exit(main())
