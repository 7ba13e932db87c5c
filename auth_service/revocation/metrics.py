"""The gauge of revocations that wait to be published."""

from prometheus_client import CollectorRegistry, Gauge

from auth_service.revocation.service import Publisher


def register_publisher_metrics(registry: CollectorRegistry, publisher: Publisher) -> None:
    """Register the publisher's gauge; it is computed when it is scraped."""
    Gauge(
        "revocations_pending",
        "Revocations that are stored and that other services may not know",
        registry=registry,
    ).set_function(lambda: publisher.pending_count)
