"""The query and the answers of the list of events."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from shared.paging import Page, PageQuery
from shared.times import TIME_DESCRIPTION, QueryTime


class EventQuery(PageQuery):
    """Selects events by user, by name, from a time on, before another time."""

    user_id: UUID | None = None
    event: str | None = Field(None, max_length=100)
    since: QueryTime | None = Field(
        None, alias="from", description=f"then or later: {TIME_DESCRIPTION}"
    )
    until: QueryTime | None = Field(
        None, alias="to", description=f"before then: {TIME_DESCRIPTION}"
    )


class EventResponse(BaseModel):
    """A security event of an account.

    `user_id`: the account; `actor_id`: the user who caused it, null for the account's own.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event: str
    outcome: Literal["success", "failure"]
    user_id: UUID | None
    actor_id: UUID | None
    session_id: UUID | None
    address: IPvAnyAddress | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, str]
    created_at: datetime


class EventPage(Page[EventResponse]):
    """A page of events, the newest first; `next_cursor` is null on the last one."""
