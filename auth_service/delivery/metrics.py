"""Metrics of messages by stage, channel and country, never by number."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter

from auth_service.delivery.model import Delivery
from auth_service.phone import region_of

UNKNOWN = "unknown"


def country_of(destination: str) -> str:
    """Return the region of a phone number."""
    try:
        return region_of(destination) or UNKNOWN
    except ValueError:
        return UNKNOWN


class DeliveryMetrics:
    """Counts messages by the stage that they reach."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series in `registry`."""
        labels = ("channel", "country")
        self._funnel = Counter(
            "messages_total",
            "Messages by how far they came, from requested to delivered, verified or given up",
            ("stage", *labels),
            registry=registry,
        )
        self._stage = cache(self._funnel.labels)  # stages, channels and countries are few
        self._answers = Counter(
            "provider_answers_total",
            "Providers' answers to messages",
            ("provider", "answer"),
            registry=registry,
        )
        self._blocked = Counter(
            "number_ranges_blocked_total",
            "Times that a range of numbers was blocked because hardly any code was proven there",
            ("country",),
            registry=registry,
        )

    def count(self, stage: str, channel: str, destination: str) -> None:
        """Count one message at a stage of the funnel."""
        country = country_of(destination) if channel == "sms" else UNKNOWN
        self._stage(stage, channel, country).inc()

    def count_blocked_range(self, phone_number: str) -> None:
        """Count a range of numbers that gets no codes for a while."""
        self._blocked.labels(country_of(phone_number)).inc()

    def count_accepted(self, delivery: Delivery, provider: str) -> None:
        """Count a message that a provider took."""
        self.count("accepted", delivery.channel, delivery.to)
        self._answers.labels(provider, "accepted").inc()

    def count_failed(self, provider: str) -> None:
        """Count a provider that did not take a message."""
        self._answers.labels(provider, "failed").inc()
