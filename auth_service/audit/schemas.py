"""The query and the answers of the list of events."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, IPvAnyAddress

from shared.paging import Page, PageQuery


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        message = "out of range"
        raise ValueError(message) from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class EventQuery(PageQuery):
    """Selects events by user, by name, from a time on, before another time."""

    user_id: UUID | None = None
    event: str | None = Field(None, max_length=100)
    since: Moment | None = Field(None, alias="from", description="then or later; RFC 3339")
    until: Moment | None = Field(None, alias="to", description="before then; RFC 3339")


class EventAnswer(BaseModel):
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


class EventPage(Page[EventAnswer]):
    """A page of events, the newest first; `next_cursor` is null on the last one."""
