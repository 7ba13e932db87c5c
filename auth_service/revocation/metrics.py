"""How many revocations wait to be published."""

from prometheus_client import CollectorRegistry, Gauge

from auth_service.revocation.service import Publisher


def watch_publisher(registry: CollectorRegistry, publisher: Publisher) -> None:
    """Register the publisher's gauge; it is read when it is asked for."""
    Gauge(
        "revocations_pending",
        "Revocations that are stored and that other services may not know",
        registry=registry,
    ).set_function(lambda: publisher.pending)
