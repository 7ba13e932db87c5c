"""The code funnel of the last hour, all replicas together: sent, proven, wrong.

A distributed attack stays below each limit, since it has many clients and destinations. The funnel
reveals it: hardly any code is proven, or many are wrong.
"""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import Delivery
from auth_service.destination import Destination
from auth_service.rate_limit.breaker import NumberRange
from shared.clock import Clock, milliseconds
from shared.redis import BatchedRedis, read_lua

FUNNEL = read_lua("auth_service.otp", "funnel.lua")
BUCKET_MS = 600_000
BUCKETS = 6
STAGES = ("sent", "proven", "wrong")
MIN_SAMPLE = 50
"""With fewer codes in an hour a ratio means nothing."""
LOW_CONVERSION = 0.1
log = structlog.get_logger()


class CodeFunnel:
    """Counts codes in buckets of ten minutes in Redis, and shows them as metrics."""

    def __init__(
        self,
        redis: BatchedRedis,
        clock: Clock,
        registry: CollectorRegistry,
        metrics: DeliveryMetrics,
    ) -> None:
        """Register the series in `registry`; `metrics` counts messages by country."""
        self._redis = redis
        self._metrics = metrics
        self._clock = clock
        self._wrong = Counter(
            "otp_wrong_total", "Wrong codes, and tries that a limit refused", registry=registry
        )
        self._conversion = Gauge(
            "otp_conversion_ratio",
            "Codes proven among those sent in the last hour, all replicas; NaN without any",
            registry=registry,
        )
        self._conversion.set(float("nan"))

    def bucket_key(self) -> str:
        """Return the Redis key of the bucket that counts now."""
        return _bucket(self._current_bucket())

    def count_result(self, result: bytes) -> None:
        """Count a tried code by the result of `verify.lua`."""
        if result in {b"wrong", b"limited"}:
            self._wrong.inc()

    def count_requested(self, delivery: Delivery) -> None:
        """Count a message that was queued."""
        self._metrics.count("requested", delivery.channel, delivery.to)

    def count_verified(self, destination: Destination) -> None:
        """Count a code that was right."""
        self._metrics.count("verified", destination.channel, destination.address)

    def count_blocked_range(self, delivery: Delivery, number_range: NumberRange) -> None:
        """Count a range of numbers that this delivery has blocked, and log it."""
        self._metrics.count_blocked_range(delivery.to)
        log.warning("number_range.blocked", prefix=number_range.prefix)

    async def measure(self) -> dict[str, int]:
        """Set the gauge from the last hour's buckets; log a warning when the hour looks wrong."""
        totals = dict.fromkeys(STAGES, 0)
        last = self._current_bucket()
        for number in range(last - BUCKETS + 1, last + 1):
            counts = await self._redis.execute("HMGET", _bucket(number), *STAGES)
            for stage, count in zip(STAGES, counts, strict=True):
                totals[stage] += int(count or 0)
        sent = totals["sent"]
        ratio = totals["proven"] / sent if sent else float("nan")
        self._conversion.set(ratio)
        few_proven = sent >= MIN_SAMPLE and ratio < LOW_CONVERSION
        if few_proven or totals["wrong"] >= max(MIN_SAMPLE, sent):
            log.warning("otp.abuse_suspected", **totals)
        return totals

    def _current_bucket(self) -> int:
        return milliseconds(self._clock.now()) // BUCKET_MS


def _bucket(number: int) -> str:
    return f"otp_funnel:{number}"
