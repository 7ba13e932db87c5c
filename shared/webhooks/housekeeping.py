"""The tasks and gauges of a service that sends webhooks, besides the deliveries themselves."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge

from shared.background import run_periodically
from shared.webhooks.delivery.worker import GAUGE_SECONDS, DeliveryWorker
from shared.webhooks.endpoint.model import EndpointStatus
from shared.webhooks.endpoint.service import WebhookService

RESEAL_SECONDS = 3600


@contextlib.asynccontextmanager
async def run_housekeeping(webhooks: WebhookService, worker: DeliveryWorker) -> AsyncIterator[None]:
    """Encrypt secrets with the first key, and read the gauges, inside the block."""
    async with (
        run_periodically("webhooks.resealing", webhooks.reseal_secrets, pause=RESEAL_SECONDS),
        run_periodically("webhooks.overdue", worker.read_gauges, pause=GAUGE_SECONDS),
    ):
        yield


def register_webhook_metrics(
    registry: CollectorRegistry, prefix: str, worker: DeliveryWorker
) -> None:
    """Register the gauges of webhooks; `prefix` begins their names."""
    overdue = Gauge(
        f"{prefix}_webhooks_overdue_seconds",
        "Seconds since the first delivery of a webhook that waits fell due, or its event happened",
        registry=registry,
    )
    overdue.set_function(worker.overdue_seconds)
    failing = Gauge(
        f"{prefix}_webhooks_failing",
        "Webhooks that have accepted no event since an attempt failed",
        ["status"],
        registry=registry,
    )
    for status in get_args(EndpointStatus):
        failing.labels(status).set_function(partial(_count_failing, worker, status))


def _count_failing(worker: DeliveryWorker, status: EndpointStatus) -> int:
    return worker.failing.get(status, 0)
