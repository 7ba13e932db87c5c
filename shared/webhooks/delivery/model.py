"""Deliveries of webhooks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.paging import encode_cursor
from shared.webhooks.endpoint.model import EndpointStatus
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome

TEST_EVENT = "webhook.test"
RETENTION = timedelta(days=30)

MAX_LISTED = 20
"""The latest attempts of a delivery that are kept, as many as `WEBHOOK_ATTEMPTS` may have.

It may be redelivered any number of times, and each has 1 KiB that its receiver chose.
"""

MAX_WAITING_TESTS = 5

MAX_UNFINISHED = 10_000
"""Deliveries of an endpoint; one more is dead at once. Each of its events counts them again."""

DeliveryStatus = Literal["pending", "delivered", "failed", "dead"]


@dataclass(frozen=True, slots=True)
class DeliverySchedule:
    """The pauses before the attempts, and how many run at once in each lane of a process."""

    delays: Sequence[timedelta]
    concurrency: int


@dataclass(frozen=True, slots=True)
class ClaimedEvent:
    """An event, and the endpoints that get it; `data` is JSON."""

    id: UUID
    type: str
    occurred_at: datetime
    data: str
    endpoint_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to queue; a column each."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as its user sees it; `attempts` is JSON."""

    id: UUID
    event_id: UUID
    type: str
    status: DeliveryStatus
    attempts: str
    next_attempt_at: datetime | None

    def cursor(self) -> str:
        """Return the cursor of the page after this delivery."""
        return encode_cursor([str(self.id)])


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """A page of an endpoint's deliveries, the newest first; None matches any."""

    status: DeliveryStatus | None
    event: str | None
    before: UUID
    limit: int


@dataclass(frozen=True, slots=True)
class DueQuery:
    """Up to `limit` due deliveries, to `only` some endpoints if given.

    `places`: how many to each endpoint; 1 to one that is not listed. `owner_places`: how many to
    all endpoints of an owner together; `owner_share` for one who is not listed.
    """

    limit: int
    places: Mapping[UUID, int] = field(default_factory=dict)
    owner_places: Mapping[UUID, int] = field(default_factory=dict)
    owner_share: int = 10
    only: Collection[UUID] | None = None


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this process may attempt until `leased_until`, with its endpoint's data.

    `leased_until`: by PostgreSQL's clock, as processes' clocks differ. `user_id`: the owner.
    """

    id: UUID
    event_id: UUID
    type: str
    body: str
    attempt_number: int
    redelivered: bool
    leased_until: datetime
    endpoint_id: UUID
    user_id: UUID
    endpoint_status: EndpointStatus
    url: str
    secret: bytes
    previous_secret: bytes | None
    rotated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of a claimed delivery; `attempt` is None if none was made.

    `cutoff`: an endpoint that fails since then is disabled; None if this does not count against it.
    """

    claimed: ClaimedDelivery
    attempt: Attempt | None
    outcome: Outcome
    cutoff: datetime | None
