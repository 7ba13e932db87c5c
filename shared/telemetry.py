"""Metrics of one application, kept in a registry of its own so that nothing is global."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class HttpMetrics:
    """Requests by method, route template and status. Labels never hold what a client sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=registry,
        )
        # Looking a label's counter up costs more than counting; methods and routes are few.
        self._series = cache(self._find_series)
        self._seconds = Histogram(
            "http_request_seconds",
            "Time from the request's header to the answer's end",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `seconds` is its whole time."""
        requests, times = self._series(method, route, status)
        requests.inc()
        times.observe(seconds)

    def _find_series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return (
            self._requests.labels(method, route, str(status)),
            self._seconds.labels(method, route),
        )
