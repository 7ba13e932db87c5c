"""Stores what came of each delivery: for itself, for its endpoint and for its creative."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from media_service.delivery import repository
from media_service.delivery.model import TEST_EVENT, ClaimedDelivery, DeliveryResult
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome

DUE = "creative.due"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ResultRecorder:
    """Stores results; an endpoint that accepts no event for `disable_after` is disabled."""

    database: Database
    disable_after: timedelta
    clock: Clock
    entropy: Entropy

    async def record(
        self, claimed: ClaimedDelivery, attempt: Attempt | None, outcome: Outcome
    ) -> None:
        """Store an attempt, or that there was none, and its outcome."""
        now = self.clock.now()
        cutoff = self._cutoff(claimed, attempt, outcome, now)
        result = DeliveryResult(claimed, attempt, outcome, cutoff)
        if _may_settle(result):
            disabled = await self._settle(result, now)
        else:
            disabled = await repository.finish(self.database, result, now)
        if disabled:
            log.warning("webhook.disabled", webhook_id=str(claimed.endpoint_id))

    async def _settle(self, result: DeliveryResult, now: datetime) -> bool:
        """Store a result that may make the creative failed, or published again."""
        async with self.database.transaction() as connection:
            creative_id = await repository.lock_creative(connection, result.claimed.event_id)
            disabled = await repository.finish(connection, result, now)
            if creative_id:
                event_id = new_id(self.clock, self.entropy)
                ids = (creative_id, result.claimed.event_id, event_id)
                await repository.settle_creative(connection, ids, now)
        return disabled

    def _cutoff(
        self, claimed: ClaimedDelivery, attempt: Attempt | None, outcome: Outcome, now: datetime
    ) -> datetime | None:
        if outcome.disables_endpoint:
            return now + self.disable_after  # whether it failed before or not
        counts = attempt is not None and not attempt.delivered and claimed.type != TEST_EVENT
        return now - self.disable_after if counts else None


def _may_settle(result: DeliveryResult) -> bool:
    """Return whether a creative may change with it.

    It is failed when its last delivery is dead. Then only one that is redelivered can succeed.
    """
    succeeds_again = result.outcome.status == "delivered" and result.claimed.redelivered
    return result.claimed.type == DUE and (result.outcome.status == "dead" or succeeds_again)
