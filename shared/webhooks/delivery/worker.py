"""Makes the attempts that are due; any number of processes may do so at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from shared.background import cancel_and_wait, run_periodically
from shared.clock import Clock
from shared.clock_check import ClockCheck
from shared.db import Database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.lanes import DeliveryLanes
from shared.webhooks.delivery.model import TEST_EVENT, ClaimedDelivery, DeliverySchedule, DueQuery
from shared.webhooks.delivery.overview import repository as overview
from shared.webhooks.delivery.results import ResultRecorder
from shared.webhooks.endpoint import repository as webhooks
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.model import Attempt, WebhookMessage
from shared.webhooks.outcome import Outcome, decide_outcome
from shared.webhooks.sender import WebhookSender
from shared.webhooks.signature import SigningSecrets

POLL_SECONDS = 0.5
GAUGE_SECONDS = 5
SLOW_SECONDS = 1.5
"""An attempt that takes longer is slow, and no longer counts among the quick ones.

So a quick one waits that long, when receivers that begin to hang have all places.
"""
LEASE_SLACK = timedelta(seconds=30)
"""A lease lasts so much longer than an attempt may."""
RETRY_SECONDS = 1
END_SECONDS = 5
"""How long the end waits for attempts; a container has 10 s after its last request."""
log = structlog.get_logger()


@dataclass(slots=True, kw_only=True, eq=False)
class DeliveryWorker:
    """Claims what is due, and makes the attempts side by side."""

    database: Database
    sender: WebhookSender
    sealer: SecretSealer
    results: ResultRecorder
    schedule: DeliverySchedule
    clock: Clock
    clock_check: ClockCheck
    entropy: Entropy
    oldest_due: datetime | None = field(default=None, init=False)
    failing: Mapping[str, int] = field(default_factory=dict, init=False)
    """Endpoints that fail, by their status."""
    lanes: DeliveryLanes = field(init=False)
    tasks: dict[asyncio.Task[None], ClaimedDelivery] = field(default_factory=dict, init=False)
    wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Open the lanes."""
        self.lanes = DeliveryLanes(self.schedule.concurrency)

    async def start_due(self) -> None:
        """Start the attempts that are due, as many as may run at once; none by a wrong clock."""
        if await self.clock_check.clocks_agree():
            await self._claim(self.lanes.slow_query())  # first, as they leave room
            await self._claim(self.lanes.quick_query())

    async def read_gauges(self) -> None:
        """Read since when a delivery waits, and how many endpoints fail."""
        now, slow = self.clock.now(), self.lanes.slow_endpoints()
        self.oldest_due = await overview.find_oldest_due(self.database, now, slow)
        self.failing = await webhooks.count_failing(self.database)

    def overdue_seconds(self) -> float:
        """Return for how long the first delivery that waits has been due."""
        if self.oldest_due is None:
            return 0
        return max(0, (self.clock.now() - self.oldest_due).total_seconds())

    async def end(self) -> None:
        """Wait for the attempts under way; leave to another process those that take longer."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=END_SECONDS)
        left = dict(self.tasks)
        for task in left:
            await cancel_and_wait(task)
        if left:
            await repository.release(self.database, left.values())

    async def _claim(self, query: DueQuery) -> None:
        if query.limit <= 0 or query.only == set():
            return
        lease = timedelta(seconds=self.sender.timeout_seconds) + LEASE_SLACK
        until = self.clock.monotonic() + lease.total_seconds()
        for claimed in await repository.claim(self.database, self.clock.now(), lease, query):
            self.lanes.enter(claimed)
            task = asyncio.create_task(self._deliver(claimed, until), name="webhook")
            self.tasks[task] = claimed
            task.add_done_callback(self.tasks.pop)

    async def _deliver(self, claimed: ClaimedDelivery, until: float) -> None:
        try:
            await self._attempt(claimed, until)
        except ServiceUnavailable:
            log.warning("webhook.outcome_lost", delivery_id=str(claimed.id))  # the lease is over
        except Exception:
            log.exception("webhook.outcome_refused", delivery_id=str(claimed.id))
        finally:
            self.lanes.leave(claimed)
            self.wake.set()

    async def _attempt(self, claimed: ClaimedDelivery, until: float) -> None:
        is_test = claimed.type == TEST_EVENT
        delays = self.schedule.delays[:1] if is_test else self.schedule.delays
        is_disabled = claimed.endpoint_status == "disabled" and not is_test
        if is_disabled or claimed.attempt_number > len(delays):  # processes died in the others
            await self._record(until, claimed, None, Outcome("dead"))
            return
        attempt = await self._send(claimed)
        outcome = decide_outcome(attempt, claimed.attempt_number, delays, self.entropy)
        await self._record(until, claimed, attempt, outcome)
        log.info(
            "webhook.attempted",
            delivery_id=str(claimed.id),
            status_code=attempt.status_code,
            error=attempt.error,
            outcome=outcome.status,
        )

    async def _record(
        self, until: float, claimed: ClaimedDelivery, attempt: Attempt | None, outcome: Outcome
    ) -> None:
        """Store a result, again and again while the lease lasts: else the attempt is repeated."""
        while True:
            try:
                await self.results.record(claimed, attempt, outcome)
            except ServiceUnavailable:
                if self.clock.monotonic() > until:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _send(self, claimed: ClaimedDelivery) -> Attempt:
        """Make an attempt. An error of ours counts as one, else it would be repeated for ever."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(SLOW_SECONDS, self._on_slow, claimed)
        at, began = self.clock.now(), self.clock.monotonic()
        try:
            if secrets := self._open_secrets(claimed):
                message = WebhookMessage(str(claimed.event_id), claimed.body.encode())
                return await self.sender.attempt(claimed.url, message, secrets.valid_at(at))
        except Exception:
            log.exception("webhook.attempt_failed", delivery_id=str(claimed.id))
        finally:
            timer.cancel()
            self.lanes.judge(claimed, was_slow=loop.time() >= timer.when())
        duration_ms = round((self.clock.monotonic() - began) * 1000)
        return Attempt(at, duration_ms, error="internal_error")

    def _on_slow(self, claimed: ClaimedDelivery) -> None:
        self.lanes.mark_slow(claimed)
        self.wake.set()

    def _open_secrets(self, claimed: ClaimedDelivery) -> SigningSecrets | None:
        """Return the endpoint's secrets; None if no key opens the current one."""
        previous = None
        if claimed.previous_secret:
            with contextlib.suppress(ValueError):  # its key was dropped before the rotation
                previous = self.sealer.open(claimed.endpoint_id, claimed.previous_secret)
        try:
            current = self.sealer.open(claimed.endpoint_id, claimed.secret)
        except ValueError:
            log.error("webhook.secret_lost", webhook_id=str(claimed.endpoint_id))
            return None
        return SigningSecrets(current, previous, claimed.rotated_at)


@contextlib.asynccontextmanager
async def run_worker(worker: DeliveryWorker) -> AsyncIterator[None]:
    """Make attempts until the block ends, and wait for those under way."""
    periodically = run_periodically(
        "webhooks", worker.start_due, pause=POLL_SECONDS, wake=worker.wake
    )
    try:
        async with periodically:
            yield
    finally:
        await worker.end()
