"""Passwords in the table of users, and the tickets that replace one."""

from auth_service.user.model import Account
from shared.db import Database

REPLACE_HASH = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2"


async def replace_hash(database: Database, account: Account, fresh: str) -> None:
    """Store another hash of the same password, unless the password was changed meanwhile."""
    async with database.connection() as connection:
        await connection.execute(REPLACE_HASH, account.user.id, account.password, fresh)
