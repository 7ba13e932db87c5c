"""Responses of the feeds' routes."""

from datetime import datetime

from pydantic import BaseModel, Field


class FeedAddressResponse(BaseModel):
    """The address of a feed; shown here only."""

    url: str = Field(description="for calendar programs; it needs no sign-in, so keep it secret")


class FeedResponse(BaseModel):
    """One's own feed."""

    created_at: datetime
    last_read_at: datetime | None = Field(description="to the minute; null before the first time")
