"""Many fall due while workers are killed and PostgreSQL's connections break: each is delivered."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from shared.webhooks.delivery.lanes import MAX_PER_ENDPOINT
from tests.support.database import Connection
from tests.support.long_runs import amount
from tests.support.media_client import MediaClient
from tests.support.publishing import OWNER, create_due
from tests.support.publishing_workers import OTHERS, WORKERS
from tests.support.tokens import Mint
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver
from tests.support.webhooks import create

KILL_SECONDS = amount(1, 2)


@pytest.mark.long
async def test_webhooks_of_workers_killed_one_by_one_are_all_delivered_under_one_id(
    media: MediaClient,
    mint: Mint,
    media_db: Connection,
    workers: Callable[[], Any],
    receiver: Receiver,
) -> None:
    """A delivery is repeated only if its attempt was under way when its process was killed."""
    count = amount(300, 10_000)
    webhook = await create(MediaClient.of(media.http, mint, OWNER), receiver.url, "creative.due")

    async def are_delivered() -> bool:
        left = "select count(*) from webhook_deliveries where status = 'delivered'"
        return bool(await media_db.fetchval(left) == count)

    async with workers() as doomed, workers():
        start = datetime.now(UTC) + timedelta(seconds=3)
        moments = [start + timedelta(seconds=1) * number / count for number in range(count)]
        await create_due(media_db, *moments)
        await asyncio.sleep(3)
        for process in doomed:
            await asyncio.sleep(KILL_SECONDS)
            process.kill()
            await media_db.fetchval(f"select count(pg_terminate_backend(pid)) {OTHERS}")
        await until(are_delivered, 300)
    ids: dict[str, set[str]] = defaultdict(set)
    for request in receiver.requests:
        Webhook(webhook["secret"]).verify(request.body, dict(request.headers))
        ids[json.loads(request.body)["data"]["id"]].add(request.headers["webhook-id"])
    assert len(ids) == count
    assert {len(found) for found in ids.values()} == {1}
    assert len(receiver.requests) - count <= WORKERS * MAX_PER_ENDPOINT
