"""Reads of schedules share statements and nothing else: each has its own answer and end."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from media_service.schedule import repository
from media_service.schedule.model import DayBounds
from media_service.schedule.service import MAX_BATCH, MAX_CONCURRENT_BATCHES, ScheduleLoader
from shared.db import Connection, Database, open_database
from shared.errors import ServiceUnavailable

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAYS = DayBounds.at(NOW, UTC)
MANY = MAX_BATCH * (MAX_CONCURRENT_BATCHES + 2)
ONE_EACH = """
INSERT INTO creatives (id, user_id, title, file_name, content_type, size, width, height, sha256,
                       due_at, timezone, variants, created_at, updated_at)
SELECT gen_random_uuid(), user_id, user_id::text, 'a.jpg', 'image/jpeg', 1, 1, 1, sha256('x'),
       $2, 'UTC', '{original}', now(), now()
FROM unnest($1::uuid[]) AS owners (user_id)"""


@pytest.fixture
async def database(media_dsn: str) -> AsyncIterator[Database]:
    async with open_database(media_dsn) as opened:
        yield opened


@pytest.fixture
def gate() -> asyncio.Event:
    """No statement runs while it is closed."""
    opened = asyncio.Event()
    opened.set()
    return opened


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event) -> list[int]:
    """How many reads each statement was for."""
    real, seen = repository.read_schedules, list[int]()

    async def counted(connection: Connection, asked: Sequence[tuple[UUID, DayBounds]]) -> list[str]:
        seen.append(len(asked))
        await gate.wait()
        return await real(connection, asked)

    monkeypatch.setattr(repository, "read_schedules", counted)
    return seen


async def owners(database: Database, count: int) -> list[UUID]:
    """Users with one creative each, which has its owner's id for a title."""
    ids = [uuid4() for _ in range(count)]
    async with database.connection() as connection:
        await connection.execute(ONE_EACH, ids, NOW)
    return ids


def titles(answer: bytes) -> list[str]:
    days = json.loads(answer)["scheduled_creatives"]
    return [creative["title"] for creative in (*days["today"], *days["tomorrow"])]


async def test_schedule_loader_reads_at_once_share_bounded_batches(
    database: Database, sizes: list[int]
) -> None:
    schedules, ids = ScheduleLoader(database), await owners(database, MAX_BATCH + 3)
    answers = await asyncio.gather(*(schedules.read(user_id, DAYS) for user_id in ids))
    assert [titles(answer) for answer in answers] == [[str(user_id)] for user_id in ids]
    assert sorted(sizes) == [3, MAX_BATCH]


async def test_schedule_loader_all_batches_busy_gathers_next_reads(
    database: Database, sizes: list[int], gate: asyncio.Event
) -> None:
    schedules, ids = ScheduleLoader(database), await owners(database, MAX_CONCURRENT_BATCHES + 5)
    gate.clear()
    reads = []
    for user_id in ids:
        reads.append(asyncio.create_task(schedules.read(user_id, DAYS)))
        async with asyncio.timeout(5):
            while len(sizes) < min(len(reads), MAX_CONCURRENT_BATCHES):
                await asyncio.sleep(0.01)
    gate.set()
    answers = await asyncio.gather(*reads)
    assert [titles(answer) for answer in answers] == [[str(user_id)] for user_id in ids]
    assert sizes == [1] * MAX_CONCURRENT_BATCHES + [5]


async def test_schedule_loader_same_user_twice_is_answered_twice(database: Database) -> None:
    schedules, (user_id, other) = ScheduleLoader(database), await owners(database, 2)
    later = DayBounds.at(NOW.replace(month=6), UTC)
    reads = [(user_id, DAYS), (other, DAYS), (user_id, later), (user_id, DAYS)]
    answers = await asyncio.gather(*(schedules.read(*read) for read in reads))
    assert [titles(answer) for answer in answers] == [
        [str(user_id)],
        [str(other)],
        [],
        [str(user_id)],
    ]


async def test_schedule_loader_invalid_read_fails_alone(database: Database) -> None:
    schedules, ids = ScheduleLoader(database), await owners(database, 2)
    odd: Any = "no id"
    answers = await asyncio.gather(
        *(schedules.read(user_id, DAYS) for user_id in (ids[0], odd, ids[1])),
        return_exceptions=True,
    )
    assert isinstance(answers[1], asyncpg.DataError)
    assert [titles(answer) for answer in answers if isinstance(answer, bytes)] == [
        [str(user_id)] for user_id in ids
    ]


async def test_schedule_loader_cancelled_read_leaves_others(
    database: Database, sizes: list[int]
) -> None:
    schedules, ids = ScheduleLoader(database), await owners(database, 3)
    reads = [asyncio.create_task(schedules.read(user_id, DAYS)) for user_id in ids]
    await asyncio.sleep(0)
    reads[1].cancel()
    assert [titles(await reads[place]) for place in (0, 2)] == [[str(ids[0])], [str(ids[2])]]
    assert sizes == [3]  # a read that was asked for is done
    with pytest.raises(asyncio.CancelledError):
        await reads[1]


async def test_schedule_loader_without_database_fails_every_read() -> None:
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing") as database:
        schedules = ScheduleLoader(database)
        answers = await asyncio.gather(
            *(schedules.read(uuid4(), DAYS) for _ in range(MANY)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [ServiceUnavailable] * MANY
