"""Every statement on a table that grows finds its rows by an index, with 100,000 of them."""

import inspect
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from media_service.creative import repository as creative
from media_service.erasure import repository as erasure
from media_service.feed import repository as feed
from media_service.idempotency import repository as idempotency
from media_service.picture import repository as picture
from media_service.product import repository as product
from media_service.product.search_text import search_terms
from media_service.publishing import repository as publishing
from media_service.quota import repository as quota
from media_service.schedule import repository as schedule
from media_service.webhook import repository as webhook
from shared.webhooks.delivery import repository as delivery
from shared.webhooks.delivery.overview import repository as overview
from shared.webhooks.endpoint import repository as endpoint
from shared.webhooks.event import repository as event
from tests.support.database import Connection
from tests.support.databases import Databases
from tests.support.filled_media import ROWS, TABLES, fill_media_tables

LOOKED_AT = 5000
"""How many of the newest rows a search may look at without asking the index of words."""

SOMEBODY, SOMETHING, LAST = UUID(int=5), UUID(int=6), UUID(int=2**128 - 1)
BUSY_ENDPOINT = UUID(bytes=md5(b"h0", usedforsecurity=False).digest())
"""It has half of all deliveries."""
START = datetime(2026, 1, 1, tzinfo=UTC)
SOON = START + timedelta(hours=1)
NAME, LEASE = "PR-000000000007", SOMETHING
HASH = bytes(32)
REPOSITORIES = (
    *(creative, delivery, erasure, event, feed, idempotency, quota, picture, product),
    *(publishing, schedule, webhook, endpoint, overview),
)

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "creative.INSERT": (
        *(UUID(int=9), SOMEBODY, ["original"], "a.jpg", "image/jpeg", 1, 1, 1, HASH, START),
        *(None, None, START, "UTC", "scheduled", START, 1),
    ),
    "creative.FIND": (SOMETHING, SOMEBODY),
    "creative.PAGE_OF_USER": (START, SOMETHING, SOON, None, 51, SOMEBODY),
    "creative.PAGE_OF_EVERYBODY": (START, SOMETHING, SOON, "scheduled", 51),
    "creative.UPDATE": (SOMETHING, SOMEBODY, 1, None, START, "UTC", "cancelled", START),
    "creative.STORE_DAY": (SOMETHING, START.date()),
    "creative.DELETE": (SOMETHING, SOMEBODY, [1]),
    "creative.DELETE_BATCH": (SOMEBODY, 500),
    "creative.DELETE_LOST": (SOMETHING,),
    "delivery.CLAIM_EVENTS": (200,),
    "delivery.INSERT_MANY": (
        *(START, START, [SOMETHING], [SOMETHING], [SOMETHING]),
        *(["creative.due"], ["{}"], 9, "[]"),
    ),
    "delivery.INSERT": (
        *(UUID(int=9), SOMETHING, SOMEBODY, SOMETHING, "webhook.test", "{}", START, 5),
    ),
    "delivery.CLAIM": (
        *(SOON, 50, [SOMETHING], [5], [SOMEBODY], [5], 10, None, timedelta(seconds=50)),
    ),
    "delivery.FINISH": (SOMETHING, START, "failed", "[]", SOON),
    "delivery.RELEASE": ([SOMETHING], [START]),
    "delivery.REDELIVER": (SOMETHING, SOMEBODY, START, SOMETHING),
    "delivery.REDELIVER_FAILED": (SOMETHING, SOMEBODY, START, START, SOMETHING, 1000),
    "delivery.DELETE_EXPIRED": (SOON,),
    "delivery.DELETE_BATCH": (SOMEBODY, 500),
    "delivery.DELETE_OF_ENDPOINT": (SOMETHING, 1000),
    "erasure.FIND_CURSOR": ("cheershare:deleted",),
    "erasure.SAVE_CURSOR": ("cheershare:deleted", "1-1"),
    "erasure.FIND_LEFTOVERS": (SOON,),
    "event.FIND_OLDEST_UNQUEUED": (),
    "event.INSERT": (UUID(int=9), SOMEBODY, "creative.due", START, "{}"),
    "event.DELETE_BATCH": (SOMEBODY, 500),
    "event.DELETE_EXPIRED": (SOON, 1000),
    "picture.FIND_MANY": ([SOMETHING, SOMEBODY],),
    "picture.CLAIM_REMOVALS": (100,),
    "picture.DELETE_REMOVAL": (SOMETHING,),
    "picture.PAGE_AFTER": (SOMETHING, 500),
    "idempotency.CLAIM": (SOMEBODY, "creatives", "k", LEASE, SOON, START, START),
    "idempotency.RENEW": (SOMEBODY, "creatives", "k", LEASE, SOON),
    "idempotency.FIND_RESPONSE": (SOMEBODY, "creatives", "k"),
    "idempotency.STORE_RESPONSE": (SOMEBODY, "creatives", "k", LEASE, HASH, "{}", "/"),
    "idempotency.RELEASE": (SOMEBODY, "creatives", "k", LEASE),
    "idempotency.DELETE_EXPIRED": (SOON,),
    "idempotency.DELETE_BATCH": (SOMEBODY, 500),
    "quota.BEGIN_UPLOAD": (SOMEBODY, START.date(), 1, str(LEASE), 1.0, 1, 9, 0.0, 9, 9),
    "quota.COUNT_UPLOAD": (SOMEBODY, START.date(), 9),
    "quota.RENEW_UPLOAD": (SOMEBODY, str(LEASE), 1.0),
    "quota.END_UPLOAD": (SOMEBODY, str(LEASE)),
    "quota.RESERVE_BYTES": (SOMEBODY, 1, 9, SOMETHING),
    "quota.RECORD_PICTURE_BYTES": (SOMETHING, 9),
    "quota.READ_PICTURE_BYTES": ([SOMETHING, SOMEBODY],),
    "quota.MARK_USER_DELETED": (SOMEBODY, START),
    "quota.READ_USAGE": (SOMEBODY,),
    "product.INSERT": (
        "n",
        "",
        1,
        "EUR",
        "public",
        NAME,
        SOMEBODY,
        None,
        START,
        START,
        1,
        " n",
        [" n"],
    ),
    "product.FIND": (NAME, SOMEBODY),
    "product.PAGE_OF_USER": (SOON, NAME, 51, SOMEBODY),
    "product.PAGE_OF_PUBLIC": (SOON, NAME, 51),
    "product.SEARCH_PUBLIC": (datetime(9999, 1, 1, tzinfo=UTC), NAME, 51, ["w55"], ["%w55%"]),
    "product.FIND_UNFOLDED": (100,),
    "product.FOLD": (NAME, " n", [" n"], "n", ""),
    "product.UPDATE": (NAME, SOMEBODY, [1], "n", None, None, None, None, START),
    "product.DELETE": (NAME, SOMEBODY, None),
    "product.DELETE_BATCH": (SOMEBODY, 500),
    "product.INSERT_PHOTO": (
        *(UUID(int=9), SOMEBODY, ["original"], "a.jpg", "image/jpeg", 1, 1, 1, HASH, START),
    ),
    "product.FIND_PHOTO": (NAME, SOMEBODY),
    "product.LOCK_PRODUCT": (NAME, SOMEBODY),
    "product.DETACH_PHOTO": (NAME,),
    "product.DETACH_LOST_PHOTO": (SOMETHING,),
    "product.DELETE_PHOTO": (SOMETHING,),
    "product.DELETE_PHOTO_BATCH": (SOMEBODY, 500),
    "product.ATTACH_PHOTO": (NAME, SOMETHING, START),
    "feed.REPLACE": (SOMEBODY, HASH, START),
    "feed.FIND": (SOMEBODY,),
    "feed.RECORD_READ": (HASH, SOON, START),
    "feed.LIST_EVENTS": (SOMEBODY, SOON, START),
    "feed.DELETE": (SOMEBODY,),
    "feed.DELETE_BATCH": (SOMEBODY, 500),
    "publishing.FIND_NEXT_DUE": (),
    "publishing.FIND_DUE": (SOON, [SOMETHING], 200),
    "publishing.PUBLISH_DUE": (SOON, [SOMETHING] * 200, [SOMETHING], None),
    "schedule.TODAY_AND_TOMORROW": (
        *([SOMEBODY] * 20, [START] * 20, [SOON] * 20, [SOON + timedelta(hours=1)] * 20),
    ),
    "webhook.LOCK_CREATIVE": (SOMETHING,),
    "webhook.SETTLE_CREATIVE": (SOMETHING, SOMETHING, START, UUID(int=9)),
    "endpoint.INSERT": (
        *(UUID(int=9), SOMEBODY, "https://a", ["*"], "", "enabled", None, START, START, b"x"),
    ),
    "endpoint.FIND": (SOMETHING, SOMEBODY),
    "endpoint.LOCK": (SOMETHING, SOMEBODY),
    "endpoint.PAGE": (SOMEBODY, SOMETHING, 51),
    "endpoint.UPDATE": (SOMETHING, SOMEBODY, None, None, None, "enabled", START),
    "endpoint.ROTATE": (SOMETHING, SOMEBODY, b"x", START),
    "endpoint.RECORD_ATTEMPT": (SOMETHING, "https://a", START, False, START),
    "endpoint.COUNT_FAILING": (),
    "endpoint.SEALED_PAGE": (SOMETHING, 500),
    "endpoint.RESEAL": (SOMETHING, b"x", None, b"y", None),
    "endpoint.DELETE": (SOMETHING, SOMEBODY),
    "endpoint.DELETE_BATCH": (SOMEBODY, 500),
    "overview.FIND_OLDEST_DUE": (SOON, [SOMETHING]),
    "overview.PAGE": (SOMETHING, LAST, ["pending", "dead"], 51),
    "overview.PAGE_OF_TYPE": (SOMETHING, LAST, ["pending", "dead"], 51, "creative.due"),
}
"""An example of each statement's values. A new statement needs an entry."""

_VERB = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")


def statements(module: ModuleType) -> dict[str, str]:
    """Every statement of a repository; a name that begins with `_` is a part of others."""
    feature = module.__name__.split(".")[-2]
    return {
        f"{feature}.{name}": text
        for name, text in inspect.getmembers(module, lambda value: isinstance(value, str))
        if name.isupper() and not name.startswith("_") and _VERB.match(text)
    }


STATEMENTS = {name: text for module in REPOSITORIES for name, text in statements(module).items()}


@pytest.fixture
async def filled_database(databases: Databases) -> AsyncIterator[Connection]:
    async with databases.create("media") as dsn:
        connection = await asyncpg.connect(dsn)
        await fill_media_tables(connection)
        yield connection
        await connection.close()


async def plan(connection: Connection, statement: str, values: tuple[Any, ...]) -> str:
    rows = await connection.fetch(f"EXPLAIN {statement}", *values)
    return "\n".join(row[0] for row in rows)


def test_query_plans_cover_every_statement() -> None:
    assert set(STATEMENTS) == set(ARGUMENTS)


async def test_query_plans_use_an_index_for_every_statement(filled_database: Connection) -> None:
    for table in TABLES:
        assert await filled_database.fetchval(f"SELECT count(*) FROM {table}") == ROWS
    slow = {}
    for name, statement in STATEMENTS.items():
        for mode in ("force_custom_plan", "force_generic_plan"):
            await filled_database.execute(f"SET plan_cache_mode = {mode}")
            text = await plan(filled_database, statement, ARGUMENTS[name])
            if "Seq Scan" in text:
                slow[name, mode] = text
    assert slow == {}
    await no_search_reads_many_rows(filled_database)
    await no_page_of_deliveries_reads_many_rows(filled_database)
    await no_count_of_unfinished_deliveries_reads_more_than_decides(filled_database)


async def no_page_of_deliveries_reads_many_rows(filled_database: Connection) -> None:
    for status, event_type, found in (
        ("dead", None, 0),
        ("failed", "creative.due", 0),
        ("delivered", "webhook.test", 0),
        ("pending", None, 51),
        ("delivered", None, 51),
    ):
        statement = overview.PAGE_OF_TYPE if event_type else overview.PAGE
        values = (BUSY_ENDPOINT, LAST, [status], 51, *([event_type] if event_type else []))
        text = await plan(filled_database, f"ANALYZE {statement}", values)
        read = [int(rows) for rows in re.findall(r"actual time=\S+ rows=(\d+)", text)]
        assert max(read) == max(found, 1), text
        assert "Removed by Filter" not in text, text


async def no_count_of_unfinished_deliveries_reads_more_than_decides(
    filled_database: Connection,
) -> None:
    """Redeliveries may leave an endpoint with any number of them."""
    ids = [SOMETHING, SOMEBODY]
    values = (
        START,
        START,
        ids,
        [BUSY_ENDPOINT] * 2,
        ids,
        ["creative.due"] * 2,
        ["{}"] * 2,
        9,
        "[]",
    )
    text = await plan(filled_database, f"ANALYZE {delivery.INSERT_MANY}", values)
    read = re.findall(
        r"Scan using webhook_deliveries\S+ on \S+ one .*actual time=\S+ rows=(\d+)", text
    )
    assert read == ["9"], text


async def no_search_reads_many_rows(filled_database: Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await filled_database.execute(f"SET plan_cache_mode = {mode}")
        for words, by_word in (("nobody", True), ("w54 thing54", True), ("thing", False)):
            for limit in (2, 51):
                terms = search_terms(words)
                assert terms is not None
                sought = (terms.pieces, terms.patterns)
                values = (datetime(9999, 1, 1, tzinfo=UTC), NAME, limit, *sought)
                text = await plan(filled_database, f"ANALYZE {product.SEARCH_PUBLIC}", values)
                removed = re.findall(r"Rows Removed by Filter: (\d+)", text)
                assert sum(map(int, removed)) <= LOOKED_AT, text
                asked = re.search(r"Index Scan on products_pieces.*\((never executed|actual)", text)
                assert asked is not None, text
                assert (asked[1] == "actual") is by_word, text
