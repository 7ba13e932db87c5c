"""The operators' routes: liveness, readiness, metrics. The gateway does not expose them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.logs import scrub
from shared.telemetry import HttpMetrics

POLL_SECONDS = 0.02
Check = Callable[[], Awaitable[bool]]
Reason = Callable[[], str]


@dataclass(slots=True)
class Readiness:
    """Checks whether this replica accepts traffic: all checks pass, no shutdown has begun."""

    draining: bool = False
    _checks: dict[str, tuple[Check, Reason]] = field(default_factory=dict)

    def add(self, name: str, check: Check, reason: Reason) -> None:
        """Add a check; `reason` says why it failed last."""
        self._checks[name] = check, reason

    async def report(self) -> dict[str, str | None]:
        """Return for each check the reason why it fails, None if it passes."""
        found = {
            name: None if await check() else scrub(reason())
            for name, (check, reason) in self._checks.items()
        }
        return {**found, "serving": "the service is shutting down" if self.draining else None}

    async def wait_until_ready(self, seconds: float) -> None:
        """Return once every check passes, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(  # noqa: ASYNC110 - others' states
                    reason is not None for reason in (await self.report()).values()
                ):
                    await asyncio.sleep(POLL_SECONDS)


READINESS = web.AppKey("readiness", Readiness)


def add_health(app: web.Application, metrics: HttpMetrics) -> None:
    """Add `/healthz`, `/readyz` and `/metrics` at the service's root."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(request: web.Request) -> web.Response:
        report = await request.app[READINESS].report()
        checks = {name: reason is None for name, reason in report.items()}
        if all(checks.values()):
            return web.json_response({"status": "ready", "checks": checks})
        reasons = {name: reason for name, reason in report.items() if reason is not None}
        body = {"status": "not ready", "checks": checks, "reasons": reasons}
        return web.json_response(body, status=web.HTTPServiceUnavailable.status_code)

    async def show_metrics(_request: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app[READINESS] = Readiness()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)
