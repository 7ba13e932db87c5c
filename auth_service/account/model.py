"""What is read and written of one's own account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from auth_service.audit.model import StoredEvent
from auth_service.destination import Channel
from auth_service.user.model import Account, User

WHAT: dict[Channel, str] = {"sms": "phone number", "email": "mail address"}


@dataclass(frozen=True, slots=True)
class Moved:
    """A user whose contact was changed: as they are now, and as they were."""

    user: User
    before: User


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A row of `sessions`, revoked or not."""

    id: UUID
    user_agent: str | None
    ip: IPv4Address | IPv6Address
    amr: tuple[str, ...]
    auth_time: datetime
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A row of `tokens` without its hash."""

    scope: str
    session_id: UUID | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that is held about a user."""

    account: Account
    sessions: Sequence[HeldSession]
    tokens: Sequence[HeldToken]
    events: Sequence[StoredEvent]
