"""Gauges of a mirror: how sure a service is of what is revoked."""

from prometheus_client import CollectorRegistry, Gauge

from shared.revocation.mirror import Mirror


def watch_mirror(registry: CollectorRegistry, mirror: Mirror) -> None:
    """Register the mirror's gauges; each is read when it is asked for."""
    Gauge(
        "revocation_staleness_seconds",
        "Since what is known of revocations was the newest there is",
        registry=registry,
    ).set_function(lambda: mirror.staleness)
    Gauge(
        "revocation_lag_seconds",
        "From the newest revocation's publication to its being applied here",
        registry=registry,
    ).set_function(lambda: mirror.lag)
    Gauge(
        "revocation_entries",
        "Revocations held in memory",
        registry=registry,
    ).set_function(lambda: len(mirror))
    Gauge(
        "revocation_in_touch",
        "1 while every revocation older than the bound is known, else 0",
        registry=registry,
    ).set_function(lambda: mirror.in_touch)
