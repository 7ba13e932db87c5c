"""argon2id in a few threads, with a bounded queue that is fair to networks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from auth_service.minimum_duration import DEFAULT_SECONDS, minimum_duration
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.fair_pool import FairPool

MAX_IN_HAND = 256
"""Running and waiting. A running one needs `ARGON2_MEMORY_KIB`, a waiting one a few bytes."""
RETRY_AFTER = 1
DECOY_BYTES = 32
DECOYS = 3  # the fastest one measures the machine, whatever else it had to do
T = TypeVar("T")
Network = IPv4Network | IPv6Network
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decoy:
    """The hash of a random password, and how long it took."""

    hash: str
    seconds: float


class Hasher:
    """Hashes and verifies passwords, `ARGON2_CONCURRENCY` at once.

    The clients' networks take turns: a client waits for one password of each other network, however
    many those try. When the queue is full, the network with most passwords loses its newest one,
    which raises `ServiceUnavailable`.
    """

    def __init__(
        self,
        argon: PasswordHasher,
        threads: ThreadPoolExecutor,
        entropy: Entropy,
        decoy: "Decoy",
        *,
        concurrency: int,
    ) -> None:
        """Hash with the parameters of `argon`, in `concurrency` threads."""
        self._argon = argon
        self._threads = threads
        self._entropy = entropy
        self._decoy = decoy
        self.minimum_seconds = max(DEFAULT_SECONDS, 2 * decoy.seconds)
        """Minimum seconds of a sign-in by password: a hash with cheaper parameters would reveal
        that the account exists."""
        self._queue = FairPool[Network, int](
            range(concurrency),
            refusal=partial(
                ServiceUnavailable, RETRY_AFTER, "Too many passwords are being checked"
            ),
            capacity=MAX_IN_HAND - concurrency,
        )
        self._running: set[asyncio.Task[object]] = set()

    @property
    def waiting(self) -> int:
        """Return how many passwords wait for a thread."""
        return self._queue.waiting

    async def hash(self, password: str, network: Network) -> str:
        """Return the password's hash in PHC form, with a salt of its own."""
        salt = self._entropy.bytes(self._argon.salt_len)
        return await self._run(network, lambda: self._argon.hash(password, salt=salt))

    async def verify(
        self,
        password: str,
        stored: str | None,
        network: Network,
        *,
        after_wait: Callable[[], None] = lambda: None,
    ) -> bool:
        """Return whether the hash belongs to the password.

        Without a hash a decoy is verified, which takes the same time and is always wrong.
        `after_wait` is called when the work starts after a wait.
        """
        known = stored or self._decoy.hash
        right = await self._run(network, lambda: self._matches(password, known), after_wait)
        return right and bool(stored)

    def needs_rehash(self, stored: str) -> bool:
        """Return whether a hash was made with other parameters than the current ones."""
        return self._argon.check_needs_rehash(stored)

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._argon.verify(stored, password)
        except VerifyMismatchError:
            return False
        except InvalidHashError:
            log.error("password.hash_unreadable")
            return self._matches(password, self._decoy.hash) and False

    async def _run(
        self,
        network: Network,
        work: Callable[[], T],
        after_wait: Callable[[], None] = lambda: None,
    ) -> T:
        waits = not self._queue.has_free_item
        thread = await self._queue.acquire(network)
        if waits:
            after_wait()
        running = asyncio.create_task(self._run_on_thread(thread, work))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            # the thread stays busy after its caller is cancelled
            return await asyncio.shield(running)
        except (HashingError, VerificationError) as failed:
            raise ServiceUnavailable(RETRY_AFTER, "The password cannot be checked") from failed

    async def _run_on_thread(self, thread: int, work: Callable[[], T]) -> T:
        """Run the work on the thread, then release it.

        A cheaper hash occupies the thread as long as a decoy: else its time could be measured.
        """
        try:
            async with minimum_duration(self._decoy.seconds):
                return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._queue.release(thread)


@asynccontextmanager
async def open_hasher(
    settings: AuthSettings, clock: Clock, entropy: Entropy
) -> AsyncIterator[Hasher]:
    """Open the threads; closing waits for the running hashes."""
    argon = PasswordHasher(
        time_cost=settings.argon2_time,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
    )
    threads = ThreadPoolExecutor(settings.argon2_concurrency, thread_name_prefix="argon2")
    try:
        made = [await _make_decoy(argon, threads, clock, entropy) for _ in range(DECOYS)]
        decoy = min(made, key=lambda decoy: decoy.seconds)
        yield Hasher(argon, threads, entropy, decoy, concurrency=settings.argon2_concurrency)
    finally:
        await asyncio.to_thread(threads.shutdown, cancel_futures=True)


async def _make_decoy(
    argon: PasswordHasher, threads: ThreadPoolExecutor, clock: Clock, entropy: Entropy
) -> Decoy:
    unknown, salt = entropy.bytes(DECOY_BYTES).hex(), entropy.bytes(argon.salt_len)
    began = clock.monotonic()
    hash_ = await asyncio.wrap_future(threads.submit(argon.hash, unknown, salt=salt))
    return Decoy(hash_, clock.monotonic() - began)
