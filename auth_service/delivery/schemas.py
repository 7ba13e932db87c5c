"""The development inbox's answers."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class InboxQuery(BaseModel):
    """The destination whose messages are listed."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1, max_length=320, description="a number in E.164, or an address")
    wait: float = Field(
        0, ge=0, le=20, description="seconds to wait for a message of the last moments"
    )


class InboxMessage(BaseModel):
    """One message that the console provider kept."""

    channel: str
    to: str
    subject: str | None
    text: str
    sent_at: datetime


class InboxResponse(BaseModel):
    """Messages to one destination, newest first."""

    items: list[InboxMessage]
