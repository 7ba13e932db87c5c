"""The events of accounts that a test's requests have written."""

import json
from collections.abc import Awaitable
from typing import Any

from tests.support.database import Connection
from tests.support.publishing import all_events

Event = tuple[str, dict[str, Any]]


async def recorded(db: Connection) -> list[Event]:
    """Type and data of each event, oldest first."""
    return [(event["type"], event["data"]) for event in await all_events(db)]


async def new_events(db: Connection, act: Awaitable[Any]) -> list[Event]:
    """The events that the act writes."""
    before = len(await recorded(db))
    await act
    return (await recorded(db))[before:]


def types(events: list[Event]) -> list[str]:
    return [event_type for event_type, _ in events]


def text_of(events: list[Event]) -> str:
    """What the events hold besides ids and times, whose digits may look like a code."""
    data = [
        {name: value for name, value in one.items() if name not in {"id", "user_id", "created_at"}}
        for _, one in events
    ]
    return json.dumps(data, ensure_ascii=False)
