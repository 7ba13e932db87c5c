"""Requests and responses of the creatives' routes."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from media_service.creative.model import (
    MAX_TITLE,
    Creative,
    CreativeDraft,
    CreativeFilter,
    CreativeUpdate,
    Owner,
    Status,
)
from media_service.creative.response import creative_fields, creative_url, link_url
from media_service.creative.schedule_time import parse_schedule_time
from media_service.creative.signed_link import MAX_LINK_SECONDS, Link
from media_service.creative.timezones import DEFAULT_TIMEZONE, UNKNOWN_TIMEZONE, TimezoneRegistry
from media_service.idempotency.model import StoredResponse
from media_service.picture.schemas import Variant
from shared.paging import LAST_MOMENT, Page, PageQuery, Position
from shared.text import BLANKS, clean_line
from shared.times import TIME_DESCRIPTION, QueryTime
from shared.validation import NULL_CLEARS, PartialUpdate, cleaned

FILE_FIELD = "file"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

LAST_SECOND = 253_402_300_799  # the end of the year 9999


def _check_schedule_time(text: str) -> str:
    parse_schedule_time(text)
    return text


ScheduleTime = Annotated[
    str, StringConstraints(max_length=40), AfterValidator(_check_schedule_time)
]
"""A day, a time or `now`, as the client wrote it."""

SCHEDULE_TIME_DESCRIPTION = (
    "a day, a time with offset, or `now`; a time without offset is local time in `timezone`: "
    "where clocks show it twice the first one, where they jump over it the jump"
)


def _check_timezone(name: str, info: ValidationInfo) -> str:
    if not isinstance(info.context, TimezoneRegistry):
        return name
    if known := info.context.find(name):
        return known
    near = info.context.find_nearest(name)
    meant = f"; did you mean {near}?" if near else ""
    raise PydanticCustomError(UNKNOWN_TIMEZONE.code, UNKNOWN_TIMEZONE.message + meant)


def _clean_timezone(name: str) -> str:
    return name.strip(BLANKS).replace(" ", "+")  # of Etc/GMT+5, not escaped in a query


TimezoneName = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_check_timezone),
    cleaned(_clean_timezone),
    Field(description="IANA zone name"),
]
"""A known time zone; validated with the other fields, so that clients get all errors at once."""


def _clean_title(text: str) -> str | None:
    return clean_line(text) or None


Title = Annotated[
    Annotated[str, StringConstraints(max_length=MAX_TITLE)] | None,
    cleaned(_clean_title),
    NULL_CLEARS,
]
"""One line of text, or none."""


class UploadForm(BaseModel):
    """A picture and when it is to go out; the parts come in any order."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        str,
        WithJsonSchema({"type": "string", "format": "binary"}),
        Field(description="the image; its name is only shown, its declared type is not looked at"),
    ]
    scheduled_at: Annotated[
        ScheduleTime,
        Field(description=SCHEDULE_TIME_DESCRIPTION),
    ]
    timezone: TimezoneName = DEFAULT_TIMEZONE
    title: Title = None

    def to_draft(self) -> CreativeDraft:
        """Return the creative that the form describes."""
        return CreativeDraft(
            file_name=self.file,
            title=self.title,
            when=parse_schedule_time(self.scheduled_at),
            timezone=self.timezone,
            fields=self.model_dump(exclude={FILE_FIELD}),
        )


class CreativeQuery(PageQuery):
    """A page of creatives, by due time."""

    model_config = ConfigDict(populate_by_name=True)

    from_: QueryTime | None = Field(
        None, alias="from", description=f"due then or later: {TIME_DESCRIPTION}"
    )
    to: QueryTime | None = Field(None, description=f"due before: {TIME_DESCRIPTION}")
    status: Status | None = None
    owner: Owner = "me"

    def to_filter(self) -> CreativeFilter:
        """Return the filter of the list.

        Raises:
            ValidationFailed: the cursor is invalid.
        """
        first = Position(self.from_ or EARLIEST, UUID(int=0))
        until = self.to or LAST_MOMENT
        after = self.start(UUID, first)
        return CreativeFilter(max(first, after), until, self.status, self.rows)


class OwnerQuery(BaseModel):
    """The users whose creatives are searched."""

    model_config = ConfigDict(extra="forbid")

    owner: Owner = "me"


class CreativeChange(PartialUpdate):
    """The fields to change, at least one.

    A day or a local time is one of `timezone`, by default of the creative's own. Another `timezone`
    alone does not move the instant. A null title removes the title.
    """

    scheduled_at: ScheduleTime = Field("", description=SCHEDULE_TIME_DESCRIPTION)
    timezone: TimezoneName = Field("", min_length=1, description="an IANA zone name")
    title: Title = None
    status: Literal["cancelled"] | None = None

    def to_update(self) -> CreativeUpdate:
        """Return the requested update."""
        return CreativeUpdate(
            when=parse_schedule_time(self.scheduled_at) if self.scheduled_at else None,
            timezone=self.timezone or None,
            title=(self.title or "") if "title" in self.model_fields_set else None,
            cancels=self.status is not None,
        )


class FileQuery(OwnerQuery):
    """The file of a creative to send; other parameters of a shared link are ignored."""

    model_config = ConfigDict(extra="ignore")

    variant: Variant = "original"
    expires: int | None = Field(None, ge=0, le=LAST_SECOND, description="of a signed link")
    signature: str | None = Field(None, max_length=64, description="of a signed link")


class LinkRequest(BaseModel):
    """A request for a link: which file its bearers may read, and for how long."""

    model_config = ConfigDict(extra="forbid", strict=True)

    expires_in: int = Field(ge=1, le=MAX_LINK_SECONDS, description="seconds; at most 7 days")
    variant: Variant = "original"


class LinkResponse(BaseModel):
    """A path with a query that needs no sign-in until it expires."""

    url: str
    expires_at: datetime

    @classmethod
    def of(cls, link: Link, signature: str) -> "LinkResponse":
        """Return the answer for a link with its signature."""
        return cls(
            url=link_url(link, signature),
            expires_at=datetime.fromtimestamp(link.expires, UTC),
        )


class CreativeResponse(BaseModel):
    """An image and the instant at which it falls due."""

    id: UUID
    title: str | None
    content_type: str
    bytes: int
    width: int
    height: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    placeholder: str | None
    scheduled_at: datetime
    timezone: str
    status: Status
    published_at: datetime | None = Field(
        description="null until it is published, and if it fell due before there was a publisher"
    )
    variants: list[str]
    file_url: str
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, creative: Creative) -> "CreativeResponse":
        """Return the answer for one row."""
        return cls(**creative_fields(creative))


def to_stored_response(creative: Creative, request_hash: bytes) -> StoredResponse:
    """Return the response to the request that created the creative."""
    text = CreativeResponse.of(creative).model_dump_json()
    return StoredResponse(request_hash, text, creative_url(creative.id))


class TimezonesResponse(BaseModel):
    """Every time zone that is taken; `version`: of the IANA data that all replicas use."""

    version: str
    timezones: list[str]


class CreativePage(Page[CreativeResponse]):
    """One page of creatives, by due time; `next_cursor` is null on the last one."""
