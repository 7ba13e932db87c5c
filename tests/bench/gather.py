"""The floors' own two connections: nothing but what a round trip needs."""

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
from redis.asyncio import Redis

if TYPE_CHECKING:  # generic for the type checker only
    _Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Connection = asyncpg.Connection
    Pool = asyncpg.Pool

POOL = 10


class GatheredRedis:
    """One pipeline per tick of the loop; no errors are told apart, nothing is checked."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._flushes: set[asyncio.Task[None]] = set()

    def ask(self, *command: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._start)
        self._waiting.append((command, answer))
        return answer

    def _start(self) -> None:
        batch, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._flush(batch))
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _flush(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> None:
        async with self._client.pipeline(transaction=False) as pipeline:
            for command, _ in batch:
                pipeline.execute_command(*command)
            answers = await pipeline.execute()
        for (_, waiter), answer in zip(batch, answers, strict=True):
            waiter.set_result(answer)


class _Plain(_Connection):
    def get_reset_query(self) -> str:
        return ""


async def open_decoder_pool(dsn: str) -> Pool:
    """A pool of the services' size, without the query that every release would cost."""
    pool: Pool = await asyncpg.create_pool(
        dsn, min_size=POOL, max_size=POOL, connection_class=_Plain
    )
    return pool
