"""The commands of delivery: a worker without HTTP, and the dead letters."""

import json
import sys

from prometheus_client import CollectorRegistry

from auth_service.delivery.console import Inbox
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import Delivery
from auth_service.delivery.queue import Queue
from auth_service.delivery.start import WorkerParts, open_worker
from auth_service.keyring import Keyring, SealBrokenError
from auth_service.settings import AuthSettings
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy
from shared.logs import mask
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


async def list_dead(settings: AuthSettings, entropy: Entropy) -> int:
    """Print each dead letter on a line as JSON: what it was, and what each provider said."""
    keyring = Keyring(settings.secrets, entropy)
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        for letter in await Queue(redis, "").dead():
            shown = {name: letter[name] for name in ("id", "died_at", "reasons")}
            try:
                delivery = Delivery.opened(bytes.fromhex(letter["sealed"]), keyring)
            except SealBrokenError:
                shown["template"] = None  # the key that sealed it is no longer configured
            else:
                shown |= {"template": delivery.template, "channel": delivery.channel}
                shown |= {"to": mask(delivery.to)}
            sys.stdout.write(json.dumps(shown) + "\n")
    return 0


async def retry_dead(settings: AuthSettings, clock: Clock, wanted: str) -> int:
    """Put one dead letter back into the queue; returns 1 when that cannot be."""
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        queue = Queue(redis, "")
        for letter in await queue.dead():
            if letter["id"] != wanted:
                continue
            if letter["not_after"] <= milliseconds(clock.now()):
                sys.stderr.write("its life has ended: what it says is not true any more\n")
                return 1
            if await queue.revive(letter):
                sys.stdout.write("back in the queue\n")
                return 0
    sys.stderr.write("there is no such dead letter\n")
    return 1
