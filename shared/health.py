"""The operators' routes: liveness, readiness, metrics. The gateway does not expose them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.logs import scrub
from shared.telemetry import HttpMetrics

POLL_SECONDS = 0.02
Check = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Readiness:
    """Whether this replica accepts traffic: every check passes and no shutdown has begun."""

    checks: dict[str, Check] = field(default_factory=dict)
    reasons: dict[str, Callable[[], str]] = field(default_factory=dict)
    """Explanations of failed checks, by the check's name."""
    draining: bool = False

    async def report(self) -> Mapping[str, bool]:
        """Return each check's name and whether it holds."""
        found = {name: await check() for name, check in self.checks.items()}
        return {**found, "serving": not self.draining}

    def explain(self, report: Mapping[str, bool]) -> dict[str, str]:
        """Return the reasons of the checks that do not hold, where they are known."""
        failed = [name for name, holds in report.items() if not holds and name in self.reasons]
        return {name: scrub(self.reasons[name]()) for name in failed}

    async def wait_until_ready(self, seconds: float) -> None:
        """Return once every check passes, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all((await self.report()).values()):  # noqa: ASYNC110 - others' states
                    await asyncio.sleep(POLL_SECONDS)


READINESS = web.AppKey("readiness", Readiness)


def add_health(app: web.Application, metrics: HttpMetrics) -> None:
    """Add `/healthz`, `/readyz` and `/metrics` at the service's root."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(request: web.Request) -> web.Response:
        readiness = request.app[READINESS]
        found = await readiness.report()
        if all(found.values()):
            return web.json_response({"status": "ready", "checks": found})
        body = {"status": "not ready", "checks": found, "reasons": readiness.explain(found)}
        return web.json_response(body, status=web.HTTPServiceUnavailable.status_code)

    async def show_metrics(_request: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app[READINESS] = Readiness()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)
