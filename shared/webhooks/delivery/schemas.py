"""Requests and responses of the deliveries' routes."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Generic, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from shared.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, PageQuery
from shared.times import TIME_DESCRIPTION, QueryTime
from shared.webhooks.delivery.model import Delivery, DeliveryFilter, DeliveryStatus
from shared.webhooks.endpoint.schemas import E
from shared.webhooks.model import AttemptError


class DeliveryQuery(PageQuery, Generic[E]):
    """A page of deliveries, the newest first. As each may be large, it has at most 50 of them."""

    limit: Annotated[int, AfterValidator(lambda limit: min(limit, DEFAULT_LIMIT))] = Field(
        DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="more than 50 count as 50"
    )
    status: DeliveryStatus | None = None
    event: E | Literal["webhook.test"] | None = None

    def to_filter(self) -> DeliveryFilter:
        """Return what the list's statement needs.

        Raises:
            ValidationFailed: the cursor is invalid.
        """
        return DeliveryFilter(self.status, self.event, self.before_id(), self.rows)


class AttemptResponse(BaseModel):
    """One attempt: the receiver's status, or the error if there was none."""

    at: datetime
    status_code: int | None
    error: AttemptError | None
    duration_ms: int
    response_excerpt: str = Field(description="the first KiB of the answer, as text")


class DeliveryResponse(BaseModel):
    """A delivery; `failed` is tried again at `next_attempt_at`, `dead` is not.

    It is `pending` until its first attempt has ended, and during each other one.
    """

    id: UUID
    event_id: UUID = Field(description="the `webhook-id` of every attempt")
    type: str
    status: DeliveryStatus
    attempts: list[AttemptResponse]
    next_attempt_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryResponse":
        """Return the answer for one delivery."""
        attempts = _ATTEMPTS.validate_json(delivery.attempts)
        return cls(**asdict(delivery) | {"attempts": attempts})


class DeliveryPage(Page[DeliveryResponse]):
    """One page of deliveries, the newest first; `next_cursor` is null on the last one."""


class QueuedResponse(BaseModel):
    """The id of the queued delivery."""

    delivery_id: UUID


class RedeliveryBody(BaseModel):
    """Which events to deliver again: those since a time that were not delivered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    since: QueryTime = Field(description=f"then or later: {TIME_DESCRIPTION}")


_ATTEMPTS = TypeAdapter(list[AttemptResponse])
