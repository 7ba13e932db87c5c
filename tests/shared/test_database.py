"""PostgreSQL: a pool whose absence is a 503 within seconds, and that recovers by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from shared import db
from shared.db import Database, PoolLimits, open_database
from shared.errors import ServiceUnavailable
from tests.support.proxy import Proxy, open_proxy

SHORT = 0.3


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT_SECONDS", "ACQUIRE_SECONDS", "STATEMENT_SECONDS"):
        assert getattr(db, name) <= 5
        monkeypatch.setattr(db, name, SHORT)


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[Proxy]:
    async with open_proxy(postgres.port) as made:
        yield made


@pytest.fixture
async def database(proxy: Proxy, postgres: Postgres) -> AsyncIterator[Database]:
    url = urlsplit(postgres.dsn("postgres"))
    login = url.netloc.rpartition("@")[0]
    dsn = urlunsplit(url._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))
    async with open_database(dsn, size=2) as opened:
        yield opened


async def select_one(database: Database) -> object:
    async with database.connection() as connection:
        return await connection.fetchval("select 1")


async def expect_unavailable_within(seconds: float, database: Database) -> None:
    """Asserts that the database is unavailable, and that one learns so in time."""
    started = time.monotonic()
    with pytest.raises(ServiceUnavailable) as refused:
        await select_one(database)
    assert time.monotonic() - started < seconds
    assert int(refused.value.headers()["Retry-After"]) >= 1


@pytest.mark.parametrize("wrong", ["password", "database"])
async def test_database_refused_login_is_unavailable(postgres: Postgres, wrong: str) -> None:
    url = urlsplit(postgres.dsn("postgres"))
    user, _, place = url.netloc.rpartition("@")
    login = f"{user.partition(':')[0]}:another@{place}"
    other = url._replace(netloc=login) if wrong == "password" else url._replace(path="/another")
    async with open_database(urlunsplit(other)) as refused:
        await expect_unavailable_within(2, refused)
        assert not await refused.is_reachable()


async def test_database_password_replaced_in_its_file_is_used(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = urlsplit(postgres.dsn("postgres"))
    user, _, place = url.netloc.rpartition("@")
    wrong = urlunsplit(url._replace(netloc=f"{user.partition(':')[0]}:another@{place}"))
    mounted = tmp_path / "database_url"
    mounted.write_text(wrong + "\n")
    async with open_database(wrong, mounted=mounted, size=1) as database:
        await expect_unavailable_within(2, database)
        mounted.write_text(postgres.dsn("postgres") + "\n")
        assert await select_one(database) == 1


async def test_database_mounted_url_without_password_uses_environment(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = urlsplit(postgres.dsn("postgres"))
    user, _, place = url.netloc.rpartition("@")
    bare = urlunsplit(url._replace(netloc=f"{user.partition(':')[0]}@{place}"))
    mounted = tmp_path / "database_url"
    mounted.write_text(bare)
    monkeypatch.setenv("PGPASSWORD", url.password or "")
    async with open_database(bare, mounted=mounted) as database:
        assert await select_one(database) == 1


async def test_database_connections_are_reused_and_speak_utc(
    database: Database, proxy: Proxy
) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("show timezone") == "UTC"
    assert await select_one(database) == 1
    assert proxy.connections == 1


async def test_database_release_costs_no_round_trip(database: Database, proxy: Proxy) -> None:
    for _ in range(2):  # a statement is prepared the first time
        await select_one(database)
    before = proxy.exchanges
    await select_one(database)
    assert proxy.exchanges - before == 1


async def test_database_transaction_commits_and_rolls_back_on_error(
    database: Database,
) -> None:
    async with database.connection() as connection:
        await connection.execute("create table if not exists kept (n int); delete from kept")
    async with database.transaction() as connection:
        await connection.execute("insert into kept values (1)")

    async def fail() -> None:
        async with database.transaction() as inner:
            await inner.execute("insert into kept values (2)")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.connection() as connection:
        assert [row["n"] for row in await connection.fetch("select n from kept")] == [1]
        await connection.execute("drop table kept")


async def test_database_opened_without_server_is_unreachable() -> None:
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing") as database:
        await expect_unavailable_within(SHORT * 3, database)
        assert not await database.is_reachable()


async def test_database_server_that_returns_is_reachable_again(
    database: Database, proxy: Proxy
) -> None:
    assert await select_one(database) == 1
    await proxy.refuse()
    for _ in range(3):
        await expect_unavailable_within(SHORT * 3, database)
    assert not await database.is_reachable()
    await proxy.listen()
    assert await select_one(database) == 1
    assert await database.is_reachable()


async def test_database_frozen_server_is_unavailable_within_timeouts(
    database: Database, proxy: Proxy
) -> None:
    assert await select_one(database) == 1
    proxy.freeze()
    for _ in range(3):
        await expect_unavailable_within(SHORT * 8, database)
    proxy.thaw()
    async with asyncio.timeout(5):
        assert await select_one(database) == 1


async def test_database_slow_statement_is_unavailable(database: Database) -> None:
    with pytest.raises(ServiceUnavailable):
        async with database.connection() as connection:
            await connection.execute("select pg_sleep(5)")
    assert await select_one(database) == 1


async def test_database_statement_borrows_and_returns_a_connection(database: Database) -> None:
    for _ in range(3):  # one more than there are connections
        with pytest.raises(asyncpg.UndefinedTableError):
            await database.execute("delete from absent")
    rows = await database.fetch("select n from generate_series(1, $1::int) n", 2)
    assert [row["n"] for row in rows] == [1, 2]
    assert await database.fetchrow("select 1 where false") is None
    assert await database.fetchval("select $1::int", 3) == 3
    assert await database.execute("select 1") == "SELECT 1"


async def test_database_full_pool_is_unavailable_and_recovers(database: Database) -> None:
    async with database.connection(), database.connection():
        await expect_unavailable_within(SHORT * 3, database)
    assert await select_one(database) == 1


async def test_database_bounded_pool_refuses_callers_beyond_its_limit(
    postgres: Postgres,
) -> None:
    bounds = PoolLimits(statement_seconds=1, wait_seconds=30, callers=2)
    async with open_database(postgres.dsn("postgres"), size=1, bounds=bounds) as database:
        async with database.connection():
            waiting = asyncio.create_task(select_one(database))
            await asyncio.sleep(0)
            with pytest.raises(ServiceUnavailable, match="Too many") as refused:
                await select_one(database)
            assert refused.value.retry_after == 1
        assert await waiting == 1
        assert await select_one(database) == 1


async def test_database_bounded_pool_limits_the_wait(postgres: Postgres) -> None:
    bounds = PoolLimits(statement_seconds=1, wait_seconds=SHORT, callers=9)
    async with (
        open_database(postgres.dsn("postgres"), size=1, bounds=bounds) as database,
        database.connection(),
    ):
        await expect_unavailable_within(2 * SHORT, database)


async def test_database_bounded_pool_ends_slow_statement_at_the_server(postgres: Postgres) -> None:
    bounds = PoolLimits(statement_seconds=SHORT, wait_seconds=1, callers=9)
    async with open_database(postgres.dsn("postgres"), size=1, bounds=bounds) as database:
        with pytest.raises(ServiceUnavailable, match="took too long") as refused:
            async with database.connection() as connection:
                await connection.fetchval("select pg_sleep(30)")
        assert type(refused.value.__cause__) is asyncpg.QueryCanceledError
        assert await select_one(database) == 1


async def test_database_connection_ended_by_server_is_replaced(
    database: Database, postgres: Postgres
) -> None:
    async with database.connection() as connection:
        pid = await connection.fetchval("select pg_backend_pid()")
    administrator = await asyncpg.connect(postgres.dsn("postgres"))
    await administrator.execute("select pg_terminate_backend($1)", pid)
    await administrator.close()
    outcomes = []
    for _ in range(3):
        try:
            outcomes.append(await select_one(database))
        except ServiceUnavailable:
            outcomes.append(None)
    assert outcomes[1:] == [1, 1]


async def test_database_deadlock_is_unavailable(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONNECT_SECONDS", "ACQUIRE_SECONDS", "STATEMENT_SECONDS"):
        monkeypatch.setattr(db, name, 30)  # it is the deadlock that is to end it
    async with open_database(postgres.dsn("postgres")) as database:
        async with database.connection() as connection:
            await connection.execute("drop table if exists crossed; create table crossed (n int)")
            await connection.execute("insert into crossed values (1), (2)")
        both = asyncio.Barrier(2)
        outcomes = await asyncio.gather(
            lock_in_turn(database, both, 1, 2),
            lock_in_turn(database, both, 2, 1),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert [type(outcome) for outcome in refused] == [ServiceUnavailable]
        assert isinstance(refused[0].__cause__, asyncpg.DeadlockDetectedError)
        async with database.connection() as connection:
            await connection.execute("drop table crossed")


async def lock_in_turn(database: Database, both: asyncio.Barrier, first: int, second: int) -> None:
    """Locks two rows, the second when the other one here has its first."""
    async with database.transaction() as connection:
        await connection.execute("set local deadlock_timeout = '10ms'")
        await connection.execute("select from crossed where n = $1 for update", first)
        await both.wait()
        await connection.execute("select from crossed where n = $1 for update", second)


async def test_database_programming_error_is_not_unavailable(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.connection() as connection:
            await connection.execute("select * from nothing_of_that_name")
    with pytest.raises(asyncpg.DataError):
        async with database.connection() as connection:
            await connection.fetchval("select $1::int", "text")


async def test_database_refused_login_is_not_reachable(postgres: Postgres) -> None:
    """It may be made a moment later: whoever looks whether it is there must not end by it."""
    right = postgres.dsn("postgres")
    nobody = f"postgresql://nobody:x@127.0.0.1:{postgres.port}/postgres"
    for wrong in (postgres.dsn("no_such_database"), nobody):
        async with open_database(wrong) as database:
            assert await database.is_reachable() is False
    async with open_database(right) as database:
        assert await database.is_reachable() is True


async def test_database_failed_connect_frees_its_slot(database: Database, proxy: Proxy) -> None:
    await proxy.refuse()
    for _ in range(3):
        await expect_unavailable_within(SHORT * 3, database)
    await proxy.listen()
    async with database.connection(), database.connection():
        pass
