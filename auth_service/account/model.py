"""Types of a user's own account: a changed contact, and the rows of an export."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import IPvAnyAddress

from auth_service.destination import Channel
from auth_service.user.model import User
from shared.db import Database

Row_co = TypeVar("Row_co", covariant=True)
CONTACT_NAMES: dict[Channel, str] = {"sms": "phone number", "email": "mail address"}


@dataclass(frozen=True, slots=True)
class ContactChange:
    """A user before and after a change of contact."""

    old_user: User
    new_user: User


@dataclass(frozen=True, slots=True)
class ExportedSession:
    """A session, active or ended."""

    id: UUID
    user_agent: str | None
    ip: IPvAnyAddress
    amr: tuple[str, ...]
    auth_time: datetime
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None


@dataclass(frozen=True, slots=True)
class ExportedToken:
    """An issued token; of the token itself only a hash is stored."""

    scope: str
    session_id: UUID | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


RowKey = tuple[str | bytes | datetime | UUID, ...]
"""The values by which a list is ordered, of one row."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[Row_co]):
    """Some rows of a list. `last`: the key of the last one, None when no more follow."""

    rows: Sequence[Row_co]
    last: RowKey | None


ReadBatch = Callable[[Database, UUID, RowKey | None], Awaitable[Batch[Row_co]]]
"""Reads a user's rows after a key; None starts at the first."""
