"""Stores the result of each delivery: for itself and for its endpoint."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.webhooks.delivery.model import TEST_EVENT, ClaimedDelivery, DeliveryResult
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome

StoreResult = Callable[[DeliveryResult, datetime], Awaitable[bool]]
"""Stores a result at a time, with all that follows from it, as `repository.finish` does."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ResultRecorder:
    """Stores results; an endpoint that accepts no event for `disable_after` is disabled."""

    store: StoreResult
    disable_after: timedelta
    clock: Clock

    async def record(
        self, claimed: ClaimedDelivery, attempt: Attempt | None, outcome: Outcome
    ) -> None:
        """Store an attempt, or that there was none, and its outcome."""
        now = self.clock.now()
        cutoff = self._cutoff(claimed, attempt, outcome, now)
        result = DeliveryResult(claimed, attempt, outcome, cutoff)
        if await self.store(result, now):
            log.warning("webhook.disabled", webhook_id=str(claimed.endpoint_id))

    def _cutoff(
        self, claimed: ClaimedDelivery, attempt: Attempt | None, outcome: Outcome, now: datetime
    ) -> datetime | None:
        if outcome.disables_endpoint:
            return now + self.disable_after  # whether it failed before or not
        if attempt is None or attempt.delivered or attempt.error == "internal_error":
            return None
        return None if claimed.type == TEST_EVENT else now - self.disable_after
