"""Bodies, queries and answers of administration."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from auth_service.settings.roles import Role
from auth_service.user.schemas import UserResponse
from shared.paging import Page, PageQuery
from shared.text import clean_line, clean_search
from shared.validation import cleaned


class UserQuery(PageQuery):
    """Which users."""

    q: Annotated[
        Annotated[str, StringConstraints(max_length=254)] | None, cleaned(clean_search)
    ] = Field(None, description="how a name, a username, a mail address or a number begins")


class UserPage(Page[UserResponse]):
    """A page of users, the newest first; `next_cursor` is null on the last one."""


class RolesBody(BaseModel):
    """Every role that the user is to have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    roles: Annotated[list[Role], Field(max_length=10)]


class ResetFactorsBody(BaseModel):
    """Why the factors are removed; it is in the audit trail."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200), cleaned(clean_line)]


class DeadLetterResponse(BaseModel):
    """A message that could not be sent, and the reason of each provider; never its text.

    `template` is null where the key that sealed the message is no longer configured.
    """

    id: UUID
    template: str | None
    channel: str | None
    to: str | None
    reasons: dict[str, str]
    died_at: datetime
    not_after: datetime


class DeadLetterPage(Page[DeadLetterResponse]):
    """A page of dead letters, the newest first; `next_cursor` is null on the last one."""


class SubscriberResponse(BaseModel):
    """A process that follows the revocations, by its host's name and a random suffix."""

    subscriber: str
    applied: str = Field(description="id of the newest entry of the stream that it has applied")
    lag: float | None = Field(
        description="seconds from that entry to the newest one; null before its first entry"
    )
    last_heard_at: datetime
    max_staleness: float | None = Field(
        description="seconds for which it honours tokens without news, then none; null: for ever,"
        " with `REVOCATION_POLICY=fail_open`"
    )


class SubscriberList(BaseModel):
    """The processes that were heard within the last minute, in the order of their names."""

    items: list[SubscriberResponse]
