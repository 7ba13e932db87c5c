"""Events of accounts, for operators' webhooks."""

from typing import Literal
from uuid import UUID

EventType = Literal[
    "user.created",
    "user.updated",
    "user.deleted",
    "session.created",
    "session.revoked",
    "password.changed",
    "contact.changed",
    "factor.added",
    "factor.removed",
    "message.dead",
]
OPERATORS = UUID(int=0)
"""The owner of every event and webhook of this service: its administrators together."""
