"""The runner applies dbmate's files, once, in order, and never an edited one."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from migrations.files import MigrationError, create_migration, read_folder
from migrations.run import FOLDERS, main, migrate_down, migrate_up

CHECKOUT = Path(__file__).parents[2]
FIRST = (
    "-- migrate:up\ncreate table a (x int);\ninsert into a values (1);\n\n"
    "-- migrate:down\ndrop table a;\n"
)
INDEX = (
    "-- migrate:up transaction:false\ncreate index concurrently i on a (x);\n\n"
    "-- migrate:down transaction:false\ndrop index concurrently i;\n"
)


@pytest.fixture
async def dsn(postgres: Postgres) -> AsyncIterator[str]:
    """An empty database."""
    administrator = await asyncpg.connect(postgres.dsn("postgres"))
    await administrator.execute("create database migrated")
    yield postgres.dsn("migrated")
    await administrator.execute("drop database migrated with (force)")
    await administrator.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    return tmp_path


async def fetch(dsn: str, query: str) -> list[object]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def versions(dsn: str) -> list[object]:
    return await fetch(dsn, "select version from schema_migrations order by version")


async def test_up_applies_missing_files_in_order(dsn: str, folder: Path) -> None:
    assert await migrate_up(dsn, folder) == ["0001_first.sql"]
    (folder / "0002_second.sql").write_text(
        "-- migrate:up\nalter table a add y int;\n-- migrate:down\n"
    )
    assert await migrate_up(dsn, folder) == ["0002_second.sql"]
    assert await migrate_up(dsn, folder) == []
    assert await versions(dsn) == ["0001", "0002"]
    assert await fetch(dsn, "select x from a") == [1]


async def test_down_reverts_one_file(dsn: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(INDEX)
    await migrate_up(dsn, folder)
    assert await migrate_down(dsn, folder) == "0002_index.sql"
    assert await versions(dsn) == ["0001"]
    assert await migrate_down(dsn, folder) == "0001_first.sql"
    assert await migrate_down(dsn, folder) is None
    assert await fetch(dsn, "select to_regclass('a') is null") == [True]
    assert await migrate_up(dsn, folder) == ["0001_first.sql", "0002_index.sql"]


async def test_edited_file_is_refused(dsn: str, folder: Path) -> None:
    await migrate_up(dsn, folder)
    (folder / "0001_first.sql").write_text(FIRST.replace("int", "bigint"))
    (folder / "0002_index.sql").write_text(INDEX)
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed"):
        await migrate_up(dsn, folder)
    assert await versions(dsn) == ["0001"], "nothing after it was applied either"


async def test_failing_file_is_rolled_back(dsn: str, folder: Path) -> None:
    broken = folder / "0002_broken.sql"
    broken.write_text("-- migrate:up\ncreate table b ();\nselect 1 / 0;\n-- migrate:down\n")
    with pytest.raises(MigrationError, match=r"0002_broken\.sql: division by zero"):
        await migrate_up(dsn, folder)
    assert await versions(dsn) == ["0001"]
    assert await fetch(dsn, "select to_regclass('b') is null") == [True]
    broken.write_text("-- migrate:up\ncreate table b ();\n-- migrate:down\ndrop table b;\n")
    assert await migrate_up(dsn, folder) == ["0002_broken.sql"]


async def test_concurrent_runners_apply_each_file_once(dsn: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(INDEX)
    done = await asyncio.gather(*(migrate_up(dsn, folder) for _ in range(8)))
    assert sorted(map(len, done)) == [0] * 7 + [2]
    assert await fetch(dsn, "select count(*) from a") == [1]


async def test_file_without_transaction_is_applied(dsn: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(INDEX.replace(" transaction:false", ""))
    with pytest.raises(MigrationError, match="cannot run inside a transaction block"):
        await migrate_up(dsn, folder)
    (folder / "0002_index.sql").write_text(INDEX)
    assert await migrate_up(dsn, folder) == ["0002_index.sql"]


async def test_file_applied_by_dbmate_counts_and_is_checked(dsn: str, folder: Path) -> None:
    # as dbmate itself makes and fills its table
    await execute(
        dsn,
        "create table schema_migrations (version varchar(128) primary key);"
        "insert into schema_migrations values ('0001'); create table a (x int)",
    )
    assert await migrate_up(dsn, folder) == []
    (folder / "0001_first.sql").write_text(FIRST.replace("int", "bigint"))
    with pytest.raises(MigrationError, match="was changed"):
        await migrate_up(dsn, folder)


async def test_database_newer_than_the_files_is_accepted_by_up(dsn: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(INDEX)
    await migrate_up(dsn, folder)
    (folder / "0002_index.sql").unlink()
    assert await migrate_up(dsn, folder) == []
    with pytest.raises(MigrationError, match=r"0002 is applied, but .* has no file"):
        await migrate_down(dsn, folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("create table a ();", "needs one '-- migrate:up'"),
        ("-- migrate:up\nselect 1;", "needs one '-- migrate:up'"),
        ("-- migrate:down\n-- migrate:up\n", "needs one '-- migrate:up'"),
        ("select 1;\n-- migrate:up\n-- migrate:down\n", "statements before"),
        ("-- migrate:up transaction:no\n-- migrate:down\n", "unknown option transaction:no"),
    ],
)
def test_malformed_file_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "0001_bad.sql").write_text(content)
    with pytest.raises(MigrationError, match=complaint):
        read_folder(tmp_path)


def test_two_files_with_one_number_are_refused(folder: Path) -> None:
    (folder / "0001_other.sql").write_text(FIRST)
    with pytest.raises(MigrationError, match="have the same number"):
        read_folder(folder)


def test_new_file_has_the_next_number_and_is_well_formed(folder: Path) -> None:
    path = create_migration(folder, "add_colour")
    assert path.name == "0002_add_colour.sql"
    assert [one.name for one in read_folder(folder)] == ["0001_first.sql", "0002_add_colour.sql"]
    for name in ("Add", "add colour", "../add", ""):
        with pytest.raises(MigrationError, match="is no name"):
            create_migration(folder, name)


@pytest.mark.parametrize("database", ["auth", "media"])
async def test_project_files_go_up_down_and_up(dsn: str, database: str) -> None:
    applied = await migrate_up(dsn, FOLDERS / database)
    assert applied, "there are some"
    for name in reversed(applied):
        assert await migrate_down(dsn, FOLDERS / database) == name
    tables = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    )
    assert set(await fetch(dsn, tables)) == {"schema_migrations", "schema_checksums"}
    assert await migrate_up(dsn, FOLDERS / database) == applied


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "migrations.run", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_server_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("migrations.run.CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/auth"
        monkeypatch.setenv("AUTH_DATABASE_URL", url)
        assert main(["up", "--database", "auth"]) == 1
    assert capsys.readouterr() == ("", "migrations: the database server does not answer\n")


def test_command_line_migrates_and_reports(dsn: str, tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"{dsn}\n")
    up = command("up", AUTH_DATABASE_URL_FILE=str(secret))
    assert up.returncode == 0, up.stderr
    assert up.stdout.splitlines()[0].startswith("auth: 0001_")
    again = command("up", "--database", "auth", AUTH_DATABASE_URL=dsn)
    assert again.stdout == "auth: nothing to do\n"
    unset = command("up")
    assert unset.returncode == 1
    assert unset.stderr == "migrations: not set: AUTH_DATABASE_URL and MEDIA_DATABASE_URL\n"
    down = command("down", "--database", "auth", AUTH_DATABASE_URL=dsn)
    assert down.returncode == 0
    assert down.stdout.startswith("auth: 00")
