"""Gauges of revocations that wait to be published, and of the services that follow them."""

from prometheus_client import CollectorRegistry, Gauge

from auth_service.revocation.service import Publisher
from auth_service.revocation.subscribers import Subscribers


def register_publisher_metrics(registry: CollectorRegistry, publisher: Publisher) -> None:
    """Register the publisher's gauges; each is computed when it is scraped."""
    subscribers = publisher.subscribers
    Gauge(
        "revocations_pending",
        "Revocations that are stored and that other services may not know",
        registry=registry,
    ).set_function(lambda: publisher.pending_count)
    Gauge(
        "revocation_subscribers",
        "Processes that follow the revocations, heard within a minute",
        registry=registry,
    ).set_function(lambda: len(subscribers.known()))
    Gauge(
        "revocation_subscriber_lag_seconds",
        "Seconds between the newest revocation and the one that the slowest has applied",
        registry=registry,
    ).set_function(lambda: _longest_lag(subscribers))


def _longest_lag(subscribers: Subscribers) -> float:
    newest = subscribers.newest_entry
    return max((one.lag(newest) or 0 for one in subscribers.known()), default=0)
