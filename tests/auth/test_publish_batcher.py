"""What handlers commit at once is told in few calls, and noted a moment later."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from auth_service.revocation import publish_batcher as module
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.publish_batcher import MAX_CONCURRENT_CALLS, PublishBatcher
from auth_service.revocation.stream import EntryIds, Publication
from auth_service.revocation.subscribers import Marker
from shared.errors import ServiceUnavailable
from shared.revocation.message import Revocation
from shared.revocation.stream_cursor import StreamPosition
from tests.support.auth_client import AuthClient
from tests.support.database import Connection
from tests.support.waiting import until

AT = datetime(2027, 1, 15, tzinfo=UTC)


def row(number: int) -> StoredRevocation:
    return StoredRevocation(number, Revocation("session", f"s{number}", "logout", AT), AT, None)


class GatedPublisher:
    """Publishes when the test lets it, and notes what it is told to."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.open = asyncio.Event()
        self.marked: EntryIds = {}
        self.fails: type[Exception] | None = None
        self.batcher = PublishBatcher(self.publish, self.mark)

    async def publish(self, rows: Sequence[StoredRevocation]) -> Publication:
        self.calls.append([row.id for row in rows])
        await self.open.wait()
        if self.fails:
            raise self.fails
        entry_ids = {row.id: f"{row.id}-0" for row in rows}
        return Publication(entry_ids, StreamPosition(), Marker("marker"))

    async def mark(self, entries: EntryIds) -> None:
        self.marked |= entries

    async def send(self, count: int) -> list[asyncio.Task[Publication]]:
        tasks = [asyncio.create_task(self.batcher.publish(row(n))) for n in range(count)]
        await asyncio.sleep(0.01)
        return tasks


async def test_rows_that_arrive_during_calls_share_the_next_call() -> None:
    office = GatedPublisher()
    first = [task for _ in range(MAX_CONCURRENT_CALLS) for task in await office.send(1)]
    more = await office.send(50)
    assert office.calls == [[0]] * MAX_CONCURRENT_CALLS
    office.open.set()
    await asyncio.gather(*first, *more)
    assert sorted(len(call) for call in office.calls) == [1, 1, 50]


async def test_rows_are_marked_together_after_the_answer(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MARK_DELAY_SECONDS", 60)
    office = GatedPublisher()
    office.open.set()
    await asyncio.gather(*await office.send(5))
    assert office.marked == {}
    await office.batcher.close()
    assert office.marked == {number: f"{number}-0" for number in range(5)}


async def test_failed_call_fails_its_rows_and_not_the_next_call() -> None:
    office = GatedPublisher()
    office.open.set()
    office.fails = ServiceUnavailable
    failed = await asyncio.gather(*await office.send(3), return_exceptions=True)
    assert [type(one) for one in failed] == [ServiceUnavailable] * 3
    office.fails = None
    await asyncio.gather(*await office.send(1))
    assert len(office.calls) == 2


async def test_hanging_call_times_out(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PUBLISH_TIMEOUT_SECONDS", 0.05)
    office = GatedPublisher()
    hanging = await office.send(1) + await office.send(1)
    failed = await asyncio.gather(*hanging, return_exceptions=True)
    assert {type(one) for one in failed} == {TimeoutError}
    office.open.set()
    await asyncio.gather(*await office.send(1))


async def test_cancelled_handler_leaves_the_others_alone() -> None:
    office = GatedPublisher()
    impatient, patient = await office.send(2)
    impatient.cancel()
    office.open.set()
    await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_logout_marks_its_row(auth: AuthClient, auth_db: Connection) -> None:
    pair = await auth.sign_in("+919876543210")
    assert (await auth.call("POST", "/logout", token=pair["access_token"])).status == 204

    async def noted() -> bool:
        return bool(await auth_db.fetchval("select entry from revocations"))

    await until(noted)
