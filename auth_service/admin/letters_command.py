"""`python -m auth_service deliveries retry|delete ID`: as the routes do it, audited likewise."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from auth_service.audit.model import Event, EventName, Origin
from auth_service.audit.service import Audit
from auth_service.delivery.letters import Before, Letters
from auth_service.delivery.queue import Queue
from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import open_database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.logs import cause
from shared.redis import open_redis

ENDED = "its life has ended: what it says is not true any more; delete it\n"
UNKNOWN = "there is none\n"


async def retry_dead(settings: AuthSettings, clock: Clock, entropy: Entropy, wanted: str) -> int:
    """Put one dead letter back into the queue; returns 1 when that cannot be."""
    try:
        async with _open(settings, clock, entropy, "delivery.retried", wanted) as (letters, record):
            outcome = await letters.retry(wanted, record)
    except ServiceUnavailable as away:
        sys.stderr.write(f"deliveries: {cause(away)}\n")
        return 1
    if outcome == "queued":
        sys.stdout.write("back in the queue\n")
        return 0
    sys.stderr.write(ENDED if outcome == "ended" else UNKNOWN)
    return 1


async def delete_dead(settings: AuthSettings, clock: Clock, entropy: Entropy, wanted: str) -> int:
    """Delete one dead letter, expired or not; returns 1 when there is none."""
    try:
        async with _open(settings, clock, entropy, "delivery.deleted", wanted) as (letters, record):
            deleted = await letters.delete(wanted, record)
    except ServiceUnavailable as away:
        sys.stderr.write(f"deliveries: {cause(away)}\n")
        return 1
    if deleted:
        sys.stdout.write("deleted\n")
        return 0
    sys.stderr.write(UNKNOWN)
    return 1


@asynccontextmanager
async def _open(
    settings: AuthSettings, clock: Clock, entropy: Entropy, event: EventName, wanted: str
) -> AsyncIterator[tuple[Letters, Before]]:
    keyring = Keyring(settings.secrets, entropy)
    async with (
        open_database(settings.auth_database_url.get_secret_value()) as database,
        open_redis(settings.redis_url.get_secret_value()) as redis,
    ):
        audit = Audit(database, clock, entropy)
        told = Event(event, Origin(), details={"delivery": wanted})
        yield Letters(Queue(redis, ""), keyring, clock), partial(audit.append, told)
