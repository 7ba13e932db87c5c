"""What an operator reads when a server is there and refuses us: its own words, and no secret."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog
from redis.asyncio import Redis

from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey
from shared.background import run_periodically
from shared.db import Database, open_database
from shared.errors import ServiceUnavailable
from shared.health import Readiness
from shared.logs import describe_error
from shared.redis import BatchedRedis, open_redis
from tests.support.waiting import until

WRONG = "not-the-password"


def with_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"))


async def read_warning(once: Callable[[], Awaitable[object]]) -> str:
    """What a task in the background logs while its server refuses it, turn after turn."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        turns += 1
        await once()

    with structlog.testing.capture_logs() as logs:
        async with run_periodically("task", count, pause=0.01):
            await until(lambda: turns > 2)
    [entry] = logs
    assert entry["event"] == "task.interrupted"
    return str(entry["error"])


async def test_database_wrong_password_is_named_in_warning(postgres: Postgres) -> None:
    url = with_login(postgres.dsn("postgres"), "stranger", WRONG)
    async with open_database(url) as database:

        async def use(database: Database = database) -> None:
            async with database.connection():
                pass

        said = await read_warning(use)
        assert 'password authentication failed for user "stranger"' in said
        assert WRONG not in said
        assert not await database.is_reachable()
        assert 'password authentication failed for user "stranger"' in database.last_error


async def test_redis_wrong_password_is_named_in_warning(valkey: Valkey, redis: Redis) -> None:
    await redis.ping()
    async with open_redis(with_login(valkey.url(), "stranger", WRONG)) as stranger:
        said = await read_warning(lambda: stranger.execute("PING"))
        assert "WRONGPASS" in said
        assert WRONG not in said
        assert not await stranger.is_reachable()
        assert "WRONGPASS" in stranger.last_error


async def test_redis_missing_permission_is_unavailable_and_named(
    valkey: Valkey, redis: Redis
) -> None:
    """A process that starts before Redis has read its rights again is no bug of any request."""
    await redis.acl_setuser("weak", enabled=True, passwords=[f"+{WRONG}"], categories=["-@all"])
    try:
        async with open_redis(with_login(valkey.url(), "weak", WRONG)) as weak:
            with pytest.raises(ServiceUnavailable) as refused:
                await weak.execute("GET", "key")
            assert "NOPERM" in describe_error(refused.value)
            assert "no permissions" in await read_warning(lambda: weak.execute("GET", "key"))
            assert not await weak.is_reachable()
            assert "no permissions" in weak.last_error
    finally:
        await redis.acl_deluser("weak")


async def test_readiness_explains_failed_checks_alone(
    postgres: Postgres, redis: Redis, valkey: Valkey
) -> None:
    async with (
        open_database(with_login(postgres.dsn("postgres"), "stranger", WRONG)) as database,
        open_redis(valkey.url()) as well,
    ):
        readiness = Readiness()
        parts: dict[str, Database | BatchedRedis] = {"database": database, "redis": well}
        for name, part in parts.items():
            readiness.add(name, part.is_reachable, lambda part=part: part.last_error)  # type: ignore[misc]
        report = await readiness.report()
        assert {name for name, reason in report.items() if reason is not None} == {"database"}
        assert "password authentication failed" in str(report["database"])
    await redis.ping()


def test_describe_error_of_timeout_hides_the_cancellation() -> None:
    late = TimeoutError("late")
    late.__cause__ = asyncio.CancelledError()
    away = ServiceUnavailable(detail="away")
    away.__cause__ = late
    assert describe_error(away) == "ServiceUnavailable: away, caused by TimeoutError: late"
