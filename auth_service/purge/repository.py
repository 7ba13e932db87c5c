"""Expired rows, deleted in batches; rows that another replica is deleting are skipped."""

from datetime import datetime

from auth_service.session import repository as sessions
from auth_service.token import repository as tokens
from shared.db import Database

REMOVE_REGISTRATIONS = """
DELETE FROM users WHERE id IN (
    SELECT id FROM users WHERE status = 'pending' AND created_at <= $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


async def remove_registrations(database: Database, moment: datetime, limit: int) -> int:
    """Remove up to `limit` registrations from before `moment`; return how many."""
    return await _remove(database, REMOVE_REGISTRATIONS, moment, limit)


async def remove_tickets(database: Database, moment: datetime, limit: int) -> int:
    """Remove up to `limit` tickets that expired before `moment`; return how many."""
    return await _remove(database, tokens.REMOVE_EXPIRED, moment, limit)


async def remove_sessions(database: Database, moment: datetime, limit: int) -> int:
    """Remove up to `limit` sessions that ended before `moment`; return how many."""
    return await _remove(database, sessions.REMOVE_EXPIRED, moment, limit)


async def _remove(database: Database, statement: str, moment: datetime, limit: int) -> int:
    async with database.connection() as connection:
        status: str = await connection.execute(statement, moment, limit)
    return int(status.rpartition(" ")[2])
