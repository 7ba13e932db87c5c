"""argon2id beside the loop: a few threads, and a queue that has an end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from auth_service.settings import AuthSettings
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable

MOST_IN_HAND = 64
"""Running and waiting. Each one that runs holds `ARGON2_MEMORY_KIB`, one that waits a few bytes."""
RETRY_AFTER = 1
DECOY_BYTES = 32
T = TypeVar("T")
log = structlog.get_logger()


class Hasher:
    """Hashes and verifies passwords, `ARGON2_CONCURRENCY` at once.

    Every method raises `ServiceUnavailable` when too many are in hand, before anything is done.
    """

    def __init__(
        self, argon: PasswordHasher, threads: ThreadPoolExecutor, entropy: Entropy, decoy: str
    ) -> None:
        """`decoy`: the hash of a password that nobody knows."""
        self._argon = argon
        self._threads = threads
        self._entropy = entropy
        self._decoy = decoy
        self._in_hand = 0
        self._lock = threading.Lock()

    async def hash(self, password: str) -> str:
        """Return the password's hash in PHC form, with a salt of its own."""
        salt = self._entropy.bytes(self._argon.salt_len)
        return await self._run(lambda: self._argon.hash(password, salt=salt))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether the hash is the password's.

        Without a hash a decoy is verified: it takes the same time, and is always wrong.
        """
        return await self._run(lambda: self._matches(password, stored or self._decoy)) and bool(
            stored
        )

    def outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._argon.check_needs_rehash(stored)

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._argon.verify(stored, password)
        except VerifyMismatchError:
            return False
        except InvalidHashError:
            log.error("password.hash_unreadable")
            return self._matches(password, self._decoy) and False

    async def _run(self, work: Callable[[], T]) -> T:
        with self._lock:
            if self._in_hand >= MOST_IN_HAND:
                raise ServiceUnavailable(RETRY_AFTER, "Too many passwords are being checked")
            self._in_hand += 1
        running = self._threads.submit(work)
        running.add_done_callback(self._release)  # also when nobody waits for it any more
        try:
            return await asyncio.wrap_future(running)
        except (HashingError, VerificationError) as failed:
            raise ServiceUnavailable(RETRY_AFTER, "The password cannot be checked") from failed

    def _release(self, _done: "Future[T]") -> None:
        with self._lock:
            self._in_hand -= 1


@asynccontextmanager
async def open_hasher(settings: AuthSettings, entropy: Entropy) -> AsyncIterator[Hasher]:
    """Open the threads; the end waits for what they have in hand."""
    argon = PasswordHasher(
        time_cost=settings.argon2_time,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
    )
    threads = ThreadPoolExecutor(settings.argon2_concurrency, thread_name_prefix="argon2")
    try:
        unknown = entropy.bytes(DECOY_BYTES).hex()
        salt = entropy.bytes(argon.salt_len)
        decoy = await asyncio.wrap_future(threads.submit(argon.hash, unknown, salt=salt))
        yield Hasher(argon, threads, entropy, decoy)
    finally:
        await asyncio.to_thread(threads.shutdown, cancel_futures=True)
