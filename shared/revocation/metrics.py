"""Gauges of a revocation cache: how fresh it is and how much it holds."""

from prometheus_client import CollectorRegistry, Gauge

from shared.revocation.cache import RevocationCache


def register_cache_metrics(registry: CollectorRegistry, cache: RevocationCache) -> None:
    """Register the cache's gauges; each is computed when it is scraped."""
    Gauge(
        "revocation_staleness_seconds",
        "Seconds since every published revocation was known here",
        registry=registry,
    ).set_function(lambda: cache.staleness)
    Gauge(
        "revocation_lag_seconds",
        "Seconds from the newest revocation's publication to its being applied here",
        registry=registry,
    ).set_function(lambda: cache.lag)
    Gauge(
        "revocation_entries",
        "Revocations held in memory",
        registry=registry,
    ).set_function(lambda: len(cache))
    Gauge(
        "revocation_in_touch",
        "1 while every revocation older than the bound is known, else 0",
        registry=registry,
    ).set_function(lambda: cache.is_fresh)
