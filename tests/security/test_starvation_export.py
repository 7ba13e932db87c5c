"""An export of a large account: whole, in bounded memory, one at a time, and it holds nothing."""

import json
import tracemalloc
from uuid import UUID

import pytest
from blockbuster import blockbuster_ctx

from auth_service.account import repository
from auth_service.audit.repository import EARLIEST
from tests.support.database import Connection
from tests.support.exports import SESSIONS, TOKENS, Served, add_events, watching_loop

MANY = 60_000
MIB = 1024 * 1024
MOST_GROWTH = 2 * MIB
MOST_SECONDS = 0.05
BATCH = repository.BATCH_ROWS
FIRST: dict[str, tuple[object, ...]] = {
    "SESSIONS": (EARLIEST, UUID(int=0)),
    "TOKENS": ("", EARLIEST, b""),
    "EVENTS_OF_USER": (UUID(int=0),),
}
"""Each statement, and what comes before its first row."""


async def test_export_of_60000_events_is_whole(served: Served, auth_db: Connection) -> None:
    await add_events(auth_db, served.user_id, MANY)
    answer = await served.export()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.body) == [
        "exported_at",
        "user",
        "has_password",
        "sessions",
        "tokens",
        "factors",
        "remembered_devices",
        "events",
    ]
    ids = [row["id"] for row in await auth_db.fetch("select id from audit_events order by id")]
    assert len(ids) == MANY + 2
    assert [UUID(event["id"]) for event in answer.body["events"]] == ids


async def test_export_uses_memory_of_one_batch(served: Served, auth_db: Connection) -> None:
    await add_events(auth_db, served.user_id, 15_000)
    await served.export()  # what is made once is there now
    headers, length = {"Authorization": f"Bearer {served.token}"}, 0
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        async with served.auth.http.get("/v1/auth/me/export", headers=headers) as answer:
            async for piece in answer.content.iter_any():
                length += len(piece)
        growth = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    print(f"{length / MIB:.1f} MiB exported in {growth / MIB:.1f} MiB more")
    assert length > 2 * MOST_GROWTH
    assert growth < MOST_GROWTH


async def test_export_blocks_the_loop_for_one_batch_at_most(
    served: Served, auth_db: Connection
) -> None:
    await add_events(auth_db, served.user_id, 40 * BATCH)
    await served.auth.call("GET", "/me", token=served.token)
    headers = {"Authorization": f"Bearer {served.token}"}
    ask = served.auth.http.get("/v1/auth/me/export", headers=headers)
    async with watching_loop() as gaps, ask as answer:
        async for _ in answer.content.iter_any():
            pass
    print(f"the loop was kept for {max(gaps) * 1000:.0f} ms of CPU at most")
    assert served.reads > 40
    assert max(gaps) < MOST_SECONDS


async def test_export_never_blocks_the_loop(served: Served, auth_db: Connection) -> None:
    await add_events(auth_db, served.user_id, 2 * BATCH)
    with blockbuster_ctx("auth_service"):
        assert (await served.export()).status == 200


async def test_export_rows_of_one_timestamp_appear_once(
    served: Served, auth_db: Connection
) -> None:
    user = UUID(served.user_id)
    await auth_db.execute(SESSIONS, user, 2 * BATCH + 1)
    await auth_db.execute(TOKENS, user, 2 * BATCH + 1)
    await add_events(auth_db, served.user_id, 2 * BATCH - 2)  # a list that ends with a batch
    export = (await served.export()).body
    sessions = await auth_db.fetch("select id from sessions order by created_at, id")
    assert [UUID(one["id"]) for one in export["sessions"]] == [row["id"] for row in sessions]
    assert len(export["tokens"]) == 2 * BATCH + 2
    assert len({event["id"] for event in export["events"]}) == 2 * BATCH
    assert len(export["events"]) == 2 * BATCH


@pytest.mark.parametrize("statement", FIRST)
async def test_export_batch_reads_its_index_in_order(
    served: Served, auth_db: Connection, statement: str
) -> None:
    """A batch costs the same wherever it stands."""
    user = UUID(served.user_id)
    await auth_db.execute(SESSIONS, user, 3000)
    await auth_db.execute("update sessions set created_at = created_at + random() * interval '9 h'")
    await auth_db.execute(TOKENS, user, 3000)
    await auth_db.execute("update tokens set created_at = created_at + random() * interval '9 h'")
    await add_events(auth_db, served.user_id, 3000)
    await auth_db.execute("analyze")
    query = f"explain (analyze, format json) {getattr(repository, statement)}"
    [plan] = json.loads(await auth_db.fetchval(query, user, BATCH, *FIRST[statement]))
    scan = plan["Plan"]
    while "Plans" in scan:
        [scan] = scan["Plans"]
    assert scan["Node Type"] in {"Index Scan", "Index Only Scan"}, plan
    assert scan["Actual Rows"] <= BATCH + 2
