"""argon2id beside the loop: a few threads, and a queue that has an end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from auth_service.constant_time import FLOOR_SECONDS
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable

MOST_IN_HAND = 64
"""Running and waiting. Each one that runs holds `ARGON2_MEMORY_KIB`, one that waits a few bytes."""
RETRY_AFTER = 1
DECOY_BYTES = 32
DECOYS = 3  # the quickest one tells the machine's speed, whatever else it had to do
T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decoy:
    """The hash of a password that nobody knows, and how long it took."""

    hash: str
    seconds: float


class Hasher:
    """Hashes and verifies passwords, `ARGON2_CONCURRENCY` at once.

    Every method raises `ServiceUnavailable` when too many are in hand, before anything is done.
    """

    def __init__(
        self, argon: PasswordHasher, threads: ThreadPoolExecutor, entropy: Entropy, decoy: "Decoy"
    ) -> None:
        """Work with these parameters, in these threads."""
        self._argon = argon
        self._threads = threads
        self._entropy = entropy
        self._decoy = decoy.hash
        self.floor = max(FLOOR_SECONDS, 2 * decoy.seconds)
        """Seconds that a sign-in by password takes at least: a hash made with parameters that cost
        less would tell an account from a name that nobody has."""
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
async def open_hasher(
    settings: AuthSettings, clock: Clock, entropy: Entropy
) -> AsyncIterator[Hasher]:
    """Open the threads; the end waits for what they have in hand."""
    argon = PasswordHasher(
        time_cost=settings.argon2_time,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
    )
    threads = ThreadPoolExecutor(settings.argon2_concurrency, thread_name_prefix="argon2")
    try:
        made = [await _decoy(argon, threads, clock, entropy) for _ in range(DECOYS)]
        yield Hasher(argon, threads, entropy, min(made, key=lambda decoy: decoy.seconds))
    finally:
        await asyncio.to_thread(threads.shutdown, cancel_futures=True)


async def _decoy(
    argon: PasswordHasher, threads: ThreadPoolExecutor, clock: Clock, entropy: Entropy
) -> Decoy:
    unknown, salt = entropy.bytes(DECOY_BYTES).hex(), entropy.bytes(argon.salt_len)
    began = clock.monotonic()
    hash_ = await asyncio.wrap_future(threads.submit(argon.hash, unknown, salt=salt))
    return Decoy(hash_, clock.monotonic() - began)
