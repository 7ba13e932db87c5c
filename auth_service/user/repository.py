"""Reading users. A user is written where it comes from: sign-up, registration, administration."""

from dataclasses import fields

from auth_service.user.model import User
from shared.db import Database, Record

COLUMNS = tuple(field.name for field in fields(User))
PREFIXED = ", ".join(f"u.{name}" for name in COLUMNS)

IS_HELD = "SELECT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified)"


def user_of(row: Record) -> User:
    """Return the user that a row with `COLUMNS` holds."""
    values = {name: row[name] for name in COLUMNS}
    return User(**{**values, "roles": tuple(values["roles"])})


async def is_held(database: Database, phone_number: str) -> bool:
    """Tell whether a verified user holds the number."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(IS_HELD, phone_number))
