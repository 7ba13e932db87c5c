"""The commands of delivery: a worker without HTTP, and the dead letters."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from prometheus_client import CollectorRegistry

from auth_service.delivery.bootstrap import WorkerParts, open_worker
from auth_service.delivery.console import Inbox
from auth_service.delivery.dead_letters import DeadLetters
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.entropy import Entropy
from shared.redis import open_redis
from shared.shutdown import stop_signal


async def run_worker(settings: AuthSettings, clock: Clock, entropy: Entropy) -> None:
    """Send deliveries until SIGTERM; what is in hand then is taken over by another worker."""
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        keyring = Keyring(settings.secrets, entropy)
        parts = WorkerParts(redis, keyring, Inbox(redis, keyring, clock), clock, entropy)
        with stop_signal() as stop:
            async with open_worker(settings, parts, DeliveryMetrics(CollectorRegistry())):
                await stop.wait()


async def list_dead(settings: AuthSettings, clock: Clock, entropy: Entropy) -> int:
    """Print each dead letter on a line as JSON: what it was, and what each provider said."""
    async with _open_letters(settings, clock, entropy) as letters:
        for letter in await letters.all():
            sys.stdout.write(json.dumps(asdict(letter)) + "\n")
    return 0


@asynccontextmanager
async def _open_letters(
    settings: AuthSettings, clock: Clock, entropy: Entropy
) -> AsyncIterator[DeadLetters]:
    keyring = Keyring(settings.secrets, entropy)
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        yield DeadLetters(redis, keyring, clock)
