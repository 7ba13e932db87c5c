"""Redis: the commands of concurrent requests share one pipeline per tick of the loop."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.background import cancel_and_wait
from shared.batching import Batcher
from shared.errors import ServiceUnavailable
from shared.logs import describe_error
from shared.redis_connection import RedisConnection, open_connection
from shared.redis_connections import MAX_CONNECTIONS, RedisConnectionPool

TIMEOUT_SECONDS = 2
RETRY_AFTER = 1
MAX_FLUSHES = MAX_CONNECTIONS - 1  # one connection is left to be the spare
_UNAVAILABLE_CODES = (
    "LOADING",
    "MASTERDOWN",
    "READONLY",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "BUSY ",
    "NOPERM",
)
"""NOPERM: the user's rights are older or newer than this process, until Redis reads them again."""
Value = str | bytes | int
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the digest that Redis knows it by."""

    source: str
    digest: str

    @classmethod
    def from_sources(cls, *sources: str) -> "Script":
        """Make one script of several texts, definitions first."""
        source = "\n".join(sources)
        return cls(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def read_lua(package: str, name: str) -> str:
    """Return the text of a Lua file in a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


class BatchedRedis:
    """Sends all commands of one tick of the loop in one round trip.

    Under load this halves the CPU that a command costs; a single command is sent at once. Commands
    are not retried: a script whose answer was lost may have run. A command that Redis refuses
    raises `ResponseError`, an unreachable Redis `ServiceUnavailable`.

    One spare connection stays open. Connecting takes several round trips, for which a revocation
    on a slow link has no time. When all connections are in use, commands wait in order of arrival
    and share the next free one.
    """

    def __init__(self, client: Redis) -> None:
        self._callbacks = client.response_callbacks
        self._connections = RedisConnectionPool(client.connection_pool)
        self._batcher = Batcher[_Command, Any](self._flush, max_calls=MAX_FLUSHES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: set[str] = set()
        self._peak = 0
        self._opening_spare = False
        self._suspect = False
        self.last_error = ""
        """Why Redis was last found unreachable, for operators."""

    async def execute(self, *command: Value) -> Any:
        """Return Redis' answer to one command."""
        # A command that cannot be packed fails here, and not the batch.
        packed = hiredis.pack_command(command)  # type: ignore[arg-type] # its stub: 1-tuples only
        return await self._batcher.submit(_Command(str(command[0]), packed))

    async def with_timeout(self, seconds: float, asked: Awaitable[T]) -> T:
        """Return the answer of `asked`, or give up; Redis may have done the work all the same.

        The first time-out closes the idle connections, which may be dead without notice. The next
        ones keep them: on a slow link new connections are ready only after their caller gave up.

        Raises:
            ServiceUnavailable: the time is over.
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await asked
        except TimeoutError as late:
            if not self._suspect:
                self._suspect = True
                await self.reset_idle()
            raise ServiceUnavailable(RETRY_AFTER, "Redis cannot be reached") from late
        self._suspect = False
        return answer

    async def run(self, script: Script, keys: Sequence[str], arguments: Iterable[Value]) -> Any:
        """Return the script's result; the text is sent once, later calls send its digest."""
        operands = (len(keys), *keys, *arguments)
        if script.digest in self._known:
            try:
                return await self.execute("EVALSHA", script.digest, *operands)
            except NoScriptError:  # Redis was restarted or replaced
                self._known.clear()
        answer = await self.execute("EVAL", script.source, *operands)
        self._known.add(script.digest)
        return answer

    async def is_reachable(self) -> bool:
        """Return whether a command is answered now."""
        try:
            await self.execute("PING")
        except (ServiceUnavailable, ResponseError) as refused:
            self.last_error = describe_error(refused)
            return False
        return True

    def open_connection(self) -> AbstractAsyncContextManager[RedisConnection]:
        """Open a connection apart from those for commands, such as for a subscription."""
        return open_connection(self._connections.pool)

    async def reset_idle(self) -> None:
        """Close the connections that are not in use; the next command opens a spare again."""
        self._peak = 0
        await self._connections.close_idle()

    async def close(self) -> None:
        """Close all connections; commands without an answer raise `ServiceUnavailable`."""
        await self._batcher.close()
        for task in list(self._tasks):
            await cancel_and_wait(task)
        await self._connections.close_idle()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open_spare(self) -> None:
        """Open one connection more while all others are in use."""
        try:
            with contextlib.suppress(RedisError, OSError):  # the command that needs it reports this
                async with self._connections.acquire():
                    pass
        finally:
            self._opening_spare = False

    async def _flush(self, batch: Sequence["_Command"]) -> list[object]:
        if len(self._batcher.calls) > self._peak:
            self._peak = len(self._batcher.calls)
            if not self._opening_spare:
                self._opening_spare = True
                self._start(self._open_spare())
        try:
            return await self._exchange(batch)
        except Exception as wrong:  # noqa: BLE001 - every waiting command needs an answer
            error = _translate(wrong)
            if isinstance(wrong, RedisTimeoutError):  # else they would wait for a second time-out
                self._batcher.fail_held_back(error)
            if isinstance(wrong, (OSError, RedisConnectionError, RedisTimeoutError)):
                self._start(self.reset_idle())
            return [error] * len(batch)

    async def _exchange(self, batch: Sequence["_Command"]) -> list[object]:
        """Return the answers to a batch; redis-py's own pipeline costs three times as much."""
        async with self._connections.acquire() as connection:
            await connection.send_packed_command(b"".join(command.packed for command in batch))
            return [await self._read(connection, command.name) for command in batch]

    async def _read(self, connection: AbstractConnection, name: str) -> object:
        try:
            answer: object = await connection.read_response()
        except ResponseError as refused:
            return _translate(refused)
        callback = self._callbacks.get(name)
        return callback(answer) if callback else answer


class _Command(NamedTuple):
    name: str
    packed: bytes


def _translate(error: Exception) -> Exception:
    """Return the error of the callers: `ServiceUnavailable` unless Redis refused the command."""
    refused = isinstance(error, ResponseError) and not _means_unavailable(error)
    if refused or not isinstance(error, (RedisError, OSError, TimeoutError)):
        return error
    unavailable = ServiceUnavailable(RETRY_AFTER, "Redis cannot be reached")
    unavailable.__cause__ = error
    return unavailable


def _means_unavailable(answer: ResponseError) -> bool:
    # a script's error may have its cause's code in its text only
    return answer.status_code in _UNAVAILABLE_CODES or str(answer).startswith(_UNAVAILABLE_CODES)


def new_client(url: str, *, timeout: float = TIMEOUT_SECONDS) -> Redis:
    """Return an unconnected client that gives up after `timeout` seconds and never retries.

    Connecting costs one round trip, for the password: `driver_info` would add another.
    """
    return Redis.from_url(
        url,
        driver_info=None,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


@contextlib.asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[BatchedRedis]:
    """Open a batching connection; opening needs no server."""
    batched = BatchedRedis(new_client(url))
    try:
        yield batched
    finally:
        await batched.close()
