"""Stores the result of each delivery, and the status that its creative has by it."""

from dataclasses import dataclass
from datetime import datetime

from media_service.webhook.repository import lock_creative, settle_creative
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.model import DeliveryResult

DUE = "creative.due"


@dataclass(frozen=True, slots=True)
class CreativeResults:
    """Stores results; a creative that no webhook accepts is failed."""

    database: Database
    clock: Clock
    entropy: Entropy

    async def store(self, result: DeliveryResult, now: datetime) -> bool:
        """Store a result; return whether that disabled its endpoint."""
        if not _may_settle(result):
            return await repository.finish(self.database, result, now)
        event_id = result.claimed.event_id
        async with self.database.transaction() as connection:
            creative_id = await lock_creative(connection, event_id)
            stored = await repository.finish_delivery(connection, result)
            if creative_id:
                ids = (creative_id, event_id, new_id(self.clock, self.entropy))
                await settle_creative(connection, ids, now)
        return stored and await repository.record_health(self.database, result, now)


def _may_settle(result: DeliveryResult) -> bool:
    """Return whether a creative may change with it.

    It is failed when its last delivery is dead. Then only one that is redelivered can succeed.
    """
    succeeds_again = result.outcome.status == "delivered" and result.claimed.redelivered
    return result.claimed.type == DUE and (result.outcome.status == "dead" or succeeds_again)
