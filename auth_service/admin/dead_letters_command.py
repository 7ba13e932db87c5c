"""`python -m auth_service deliveries retry|delete ID`: as the routes do it, audited likewise."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from auth_service.audit.model import Event, EventName, Origin
from auth_service.audit.service import AuditLog
from auth_service.delivery.dead_letters import BeforeHook, DeadLetters
from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import open_database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.logs import describe_error
from shared.redis import open_redis

ENDED = "its life has ended: what it says is not true any more; delete it"
UNKNOWN = "there is none"
FAILURES = {"ended": ENDED, "unknown": UNKNOWN}
Action = Callable[[DeadLetters, BeforeHook], Awaitable[str | None]]
"""Does one thing with a dead letter; returns why it was not done, None when it was."""


async def retry_dead(settings: AuthSettings, clock: Clock, entropy: Entropy, wanted: str) -> int:
    """Put one dead letter back into the queue; returns 1 when that cannot be."""

    async def retry(letters: DeadLetters, record: BeforeHook) -> str | None:
        return FAILURES.get(await letters.retry(wanted, record))

    opened = _open(settings, clock, entropy, "delivery.retried", wanted)
    return await _act(opened, retry, "back in the queue")


async def delete_dead(settings: AuthSettings, clock: Clock, entropy: Entropy, wanted: str) -> int:
    """Delete one dead letter, expired or not; returns 1 when there is none."""

    async def delete(letters: DeadLetters, record: BeforeHook) -> str | None:
        return None if await letters.delete(wanted, record) else UNKNOWN

    opened = _open(settings, clock, entropy, "delivery.deleted", wanted)
    return await _act(opened, delete, "deleted")


async def _act(
    opened: AbstractAsyncContextManager[tuple[DeadLetters, BeforeHook]],
    action: Action,
    success: str,
) -> int:
    try:
        async with opened as (letters, record):
            failure = await action(letters, record)
    except ServiceUnavailable as away:
        failure = f"deliveries: {describe_error(away)}"
    if failure is None:
        sys.stdout.write(f"{success}\n")
        return 0
    sys.stderr.write(f"{failure}\n")
    return 1


@asynccontextmanager
async def _open(
    settings: AuthSettings, clock: Clock, entropy: Entropy, name: EventName, wanted: str
) -> AsyncIterator[tuple[DeadLetters, BeforeHook]]:
    keyring = Keyring(settings.secrets, entropy)
    async with (
        open_database(settings.auth_database_url.get_secret_value()) as database,
        open_redis(settings.redis_url.get_secret_value()) as redis,
    ):
        audit = AuditLog(database, clock, entropy)
        event = Event(name, Origin(), details={"delivery": wanted})
        yield DeadLetters(redis, keyring, clock), partial(audit.append, event)
