"""Many callers of one replica at once: each is answered, and none is overtaken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from shared import db
from shared.db import Connection, Database
from tests.support.auth_client import AuthClient

NUMBER = "+919876543210"
CONNECTIONS, EACH = 10, 3


@pytest.fixture
def overtakings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each connection that is lent: how many later askers have been served before it."""
    for limit in ("ACQUIRE_SECONDS", "STATEMENT_SECONDS"):
        monkeypatch.setattr(db, limit, 60)  # the order counts, not the time
    asked, served, noted = 0, list[int](), list[int]()
    original = Database.connection

    @asynccontextmanager
    async def connection(database: Database) -> AsyncIterator[Connection]:
        nonlocal asked
        asked += 1
        place = asked
        async with original(database) as lent:
            noted.append(sum(other > place for other in served[-2000:]))
            served.append(place)
            yield lent

    monkeypatch.setattr(Database, "connection", connection)
    return noted


@pytest.mark.parametrize("callers", [64, 512])
async def test_me_of_many_callers_is_answered_in_order(
    serving_auth: Callable[..., Any], overtakings: list[int], callers: int
) -> None:
    async with (
        serving_auth() as one,
        ClientSession(one.http._base_url, connector=TCPConnector(limit=0)) as http,
    ):
        auth, token = AuthClient(http), (await one.sign_in(NUMBER))["access_token"]

        async def ask(times: int) -> list[int]:
            return [(await auth.call("GET", "/me", token=token)).status for _ in range(times)]

        # A connection that is not open yet takes longer than others: they are opened first.
        await asyncio.gather(*(ask(1) for _ in range(callers)))
        overtakings.clear()
        statuses = await asyncio.gather(*(ask(EACH) for _ in range(callers)))
    assert statuses == [[200] * EACH] * callers
    assert max(overtakings) <= CONNECTIONS
