"""The creatives that fall due on the caller's days. Concurrent reads share a statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from media_service.creative.timezones import TimezoneRegistry
from media_service.schedule import repository
from media_service.schedule.model import DayBounds
from shared.batching import Batcher
from shared.db import Database
from shared.errors import ServiceUnavailable

MAX_BATCH = 16
MAX_CONCURRENT_BATCHES = 4
ScheduleRead = tuple[UUID, DayBounds]


async def get_schedule(
    loader: "ScheduleLoader", timezones: TimezoneRegistry, user_id: UUID, name: str, now: datetime
) -> bytes:
    """Return the creatives of today and tomorrow in a zone as JSON, as the database wrote it.

    Raises:
        ValidationFailed: there is no zone of that name.
    """
    zone = await timezones.require(name)
    return await loader.read(user_id, DayBounds.at(now, zone))


class ScheduleLoader:
    """Reads up to 16 schedules in one statement, which costs little more than one schedule.

    When a statement fails, its reads are repeated one by one, so that only the faulty one fails.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher = Batcher[ScheduleRead, bytes](
            self._load, max_calls=MAX_CONCURRENT_BATCHES, max_size=MAX_BATCH
        )

    async def read(self, user_id: UUID, days: DayBounds) -> bytes:
        """Return the user's creatives of those days as JSON.

        Raises:
            ServiceUnavailable: the database is away.
        """
        return await self._batcher.submit((user_id, days))

    async def _load(self, batch: Sequence[ScheduleRead]) -> list[bytes | Exception]:
        try:
            texts = await repository.read_schedules(self._database, batch)
        except ServiceUnavailable as away:
            self._batcher.fail_held_back(away)
            raise
        except Exception as error:  # noqa: BLE001 - it is the reads' answer
            if len(batch) == 1:
                return [error]
            return [answer for read in batch for answer in await self._load([read])]
        return [text.encode() for text in texts]
