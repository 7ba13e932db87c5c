"""Expired rows, deleted in batches; rows that another replica is deleting are skipped."""

from datetime import datetime
from typing import Literal

from auth_service.device import repository as devices
from auth_service.factor import repository as factors
from auth_service.session import repository as sessions
from auth_service.token import repository as tokens
from auth_service.user import repository as users
from shared.db import Database

Kind = Literal["registrations", "tickets", "sessions", "factors", "devices"]
REMOVE: dict[Kind, str] = {
    "registrations": users.REMOVE_EXPIRED_REGISTRATIONS,
    "tickets": tokens.REMOVE_EXPIRED,
    "sessions": sessions.REMOVE_EXPIRED,
    "factors": factors.REMOVE_UNCONFIRMED,
    "devices": devices.REMOVE_EXPIRED,
}


async def delete_before(database: Database, kind: Kind, moment: datetime, limit: int) -> int:
    """Remove up to `limit` rows that expired, or began, before `moment`; return how many."""
    status: str = await database.execute(REMOVE[kind], moment, limit)
    return int(status.rpartition(" ")[2])
