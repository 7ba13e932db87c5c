"""What strangers can start has a small pool of its own: who is signed in never waits for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import structlog

from media_service.app import INTERFACE
from media_service.wiring import ANONYMOUS_BOUNDS, ANONYMOUS_CONNECTIONS
from shared.db import Connection as PoolConnection
from shared.db import Database, open_database
from shared.errors import ServiceUnavailable
from shared.openapi import Operation
from tests.support.auth_client import Answer, read
from tests.support.database import Connection
from tests.support.media_client import FORM, MEDIA, MediaClient, form, part, stored_files
from tests.support.pictures import encode
from tests.support.waiting import until

SEARCHES = 90
TABLES = "products, photos, creatives"
WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and datname = current_database()"""


@dataclass(frozen=True)
class Things:
    """What a stranger may see of somebody's."""

    product: str
    link: str
    feed: str


async def search(_things: Things) -> str:
    return f"{MEDIA}/products/public?q=lamp"


async def photo(things: Things) -> str:
    return f"{MEDIA}/products/{things.product}/photo"


async def link(things: Things) -> str:
    return things.link


async def feed(things: Things) -> str:
    return things.feed


ANONYMOUS: dict[str, Callable[[Things], Awaitable[str]]] = {
    "GET /products/public": search,
    "GET /products/{id}/photo": photo,
    "HEAD /products/{id}/photo": photo,
    "GET /creatives/{id}/file": link,
    "HEAD /creatives/{id}/file": link,
    "GET /feed/{token}.ics": feed,
}
"""Where each route without sign-in leads a stranger. A new route needs an entry."""

FOR_EVERYBODY = {"GET /products/public", "GET /feed/{token}.ics"}
"""What asks nobody who they are, so that a signed-in caller is a stranger there too."""

Used = dict[str, list[bool]]
"""By request id: whether each connection that the request used is of the anonymous pool."""


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Used:
    found: Used = {}
    whole = Database.connection

    @contextlib.asynccontextmanager
    async def connection(self: Database) -> AsyncIterator[PoolConnection]:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        found.setdefault(request_id, []).append(self.bounds is not None)
        async with whole(self) as lent:
            yield lent

    monkeypatch.setattr(Database, "connection", connection)
    return found


@pytest.fixture
async def things(media: MediaClient) -> Things:
    fields = (part("name", "Lamp"), part("price", "1"), part("currency", "EUR"))
    body = form(part("photo", encode(), '; filename="lamp.jpg"'), *fields)
    product = await media.call("POST", "/products", data=BytesIO(body), headers=FORM)
    creative = await media.upload()
    path = f"/creatives/{creative['id']}/link"
    made = await media.call("POST", path, json={"expires_in": 600})
    address = await media.call("POST", "/feed")
    return Things(product.body["id"], made.body["url"], urlsplit(address.body["url"]).path)


async def ask(media: MediaClient, route: str, url: str, **headers: str) -> Answer:
    """Ask as a stranger does, unless the headers say otherwise."""
    method = route.partition(" ")[0]
    async with media.http.request(method, url, headers=headers) as answer:
        return await read(answer)


def test_open_routes_are_found_in_the_route_table() -> None:
    found = {name_of(operation) for operation in INTERFACE.operations if not operation.auth}
    assert found == set(ANONYMOUS)


@pytest.mark.parametrize("route", ANONYMOUS)
async def test_open_routes_without_token_use_the_anonymous_pool_alone(
    media: MediaClient, things: Things, used: Used, route: str
) -> None:
    url, request_id = await ANONYMOUS[route](things), uuid4().hex
    answer = await ask(media, route, url, **{"X-Request-ID": request_id})
    assert answer.status == 200
    assert used.get(request_id), "a route that asks the database is attacked here"
    assert set(used[request_id]) == {True}


@pytest.mark.parametrize("route", sorted(set(ANONYMOUS) - FOR_EVERYBODY))
async def test_open_routes_lost_file_uses_the_anonymous_pool_alone(
    media: MediaClient, things: Things, used: Used, files: Path, route: str
) -> None:
    for path in stored_files(files):
        path.unlink()
    url, request_id = await ANONYMOUS[route](things), uuid4().hex
    answer = await ask(media, route, url, **{"X-Request-ID": request_id})
    assert answer.status == 404
    assert used[request_id] == [True, True], "the row is asked for again"


@pytest.mark.parametrize("route", ANONYMOUS)
@pytest.mark.parametrize("token", ["not-ours", "a.b.c"])
async def test_open_routes_invalid_token_uses_the_anonymous_pool_alone(
    media: MediaClient, things: Things, used: Used, route: str, token: str
) -> None:
    url, request_id = await ANONYMOUS[route](things), uuid4().hex
    headers = {"X-Request-ID": request_id, "Authorization": f"Bearer {token}"}
    assert (await ask(media, route, url, **headers)).status == 200
    assert set(used[request_id]) == {True}


@pytest.mark.parametrize("operation", INTERFACE.operations, ids=name_of)
async def test_signed_in_routes_never_use_the_anonymous_pool(
    media: MediaClient, things: Things, used: Used, operation: Operation
) -> None:
    """On every route, whatever it answers to a request that brings nothing but a token."""
    is_product = operation.id_pattern is not None
    thing = things.product if is_product else things.link.split("/")[-2]
    names = {"id": thing, "did": uuid4(), "token": things.feed.rpartition("/")[2][: -len(".ics")]}
    path = operation.path.format(**names)
    request_id = uuid4().hex
    await media.call(operation.method, path, headers={"X-Request-ID": request_id})
    foreign = {True} if name_of(operation) in FOR_EVERYBODY else set()
    assert set(used.get(request_id, [])) & {True} == foreign


@contextlib.asynccontextmanager
async def locked(connection: Connection, tables: str) -> AsyncIterator[None]:
    """Make every statement on the tables wait."""
    async with connection.transaction():
        await connection.execute(f"lock table {tables} in access exclusive mode")
        yield


@pytest.mark.parametrize("route", ANONYMOUS)
async def test_anonymous_statement_too_slow_is_503_with_retry_after(
    media: MediaClient, things: Things, database: Connection, route: str
) -> None:
    url = await ANONYMOUS[route](things)
    async with locked(database, TABLES):
        refused = await ask(media, route, url)
    assert refused.status == 503
    assert refused.headers["Retry-After"] == "1"
    if refused.body:
        assert refused.code == "service_unavailable"
        assert refused.body["detail"] == "The database took too long"
    assert (await ask(media, route, url)).status == 200


async def test_signed_in_route_beside_90_hanging_searches_is_served(
    media: MediaClient, things: Things, database: Connection, media_dsn: str
) -> None:
    url, observer = await search(things), await asyncpg.connect(media_dsn)
    async with locked(database, "products"):
        asked = [asyncio.create_task(ask(media, "GET", url)) for _ in range(SEARCHES)]

        async def hanging() -> bool:
            return bool(await observer.fetchval(WAITING) == ANONYMOUS_CONNECTIONS)

        await until(hanging)
        served = await media.as_other_user().call("GET", "/scheduled?timezone=UTC")
        assert served.status == 200
        assert await observer.fetchval(WAITING) <= ANONYMOUS_CONNECTIONS
        refused = await asyncio.gather(*asked)
    assert {answer.status for answer in refused} == {503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    told = [answer.body["detail"] for answer in refused]
    in_vain = told.count("Too many requests wait for this")
    assert in_vain >= SEARCHES - ANONYMOUS_BOUNDS.callers, "the queue is bounded"
    assert await observer.fetchval(WAITING) == 0
    await observer.close()
    assert (await ask(media, "GET", url)).status == 200


async def test_anonymous_statement_too_slow_is_ended_by_the_server(media_dsn: str) -> None:
    opening = open_database(media_dsn, size=ANONYMOUS_CONNECTIONS, bounds=ANONYMOUS_BOUNDS)
    async with opening as anonymous, open_database(media_dsn) as signed_in:
        for pool, seconds in ((anonymous, "1s"), (signed_in, "0")):
            async with pool.connection() as connection:
                assert await connection.fetchval("show statement_timeout") == seconds
        with pytest.raises(ServiceUnavailable, match="took too long") as refused:
            await _sleep(anonymous)
        assert type(refused.value.__cause__) is asyncpg.QueryCanceledError
        async with anonymous.connection() as connection:  # it was given back whole
            assert await connection.fetchval("select 1") == 1


async def _sleep(pool: Database) -> Any:
    async with pool.connection() as connection:
        return await connection.fetchval("select pg_sleep(30)")


async def test_anonymous_pool_queues_by_client_network(
    serving_media: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[object] = []
    whole = Database.with_fairness_key

    def with_fairness_key(self: Database, key: object) -> Database:
        lines.append(key)
        return whole(self, key)

    monkeypatch.setattr(Database, "with_fairness_key", with_fairness_key)
    async with serving_media(trusted_proxies="127.0.0.1") as media:
        for address in ("203.0.113.1", "203.0.113.2", "198.51.100.1"):
            headers = {"X-Forwarded-For": address}
            assert (await ask(media, "GET", f"{MEDIA}/products/public", **headers)).status == 200
    crowd, visitor = ip_network("203.0.113.0/24"), ip_network("198.51.100.0/24")
    assert lines == [crowd, crowd, visitor]


async def test_anonymous_pool_crowd_of_one_network_leaves_others_served(media_dsn: str) -> None:
    """Sixty callers of one network wait; the caller of another network is served next."""
    opening = open_database(media_dsn, size=1, bounds=ANONYMOUS_BOUNDS)
    async with opening as pool:
        crowd, visitor = (
            pool.with_fairness_key("203.0.113.0/24"),
            pool.with_fairness_key("198.51.100.0/24"),
        )
        served: list[str] = []

        async def ask_pool(view: Database, who: str) -> None:
            async with view.connection() as connection:
                await connection.fetchval("select 1")
                served.append(who)

        async with crowd.connection():
            waiting = [asyncio.create_task(ask_pool(crowd, "crowd")) for _ in range(60)]
            await asyncio.sleep(0)
            waiting.append(asyncio.create_task(ask_pool(visitor, "visitor")))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
    assert served.index("visitor") <= 1
