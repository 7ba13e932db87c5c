"""The table `passkeys`. Each row belongs to a factor, which names its user."""

from uuid import UUID

from auth_service.passkey.model import Passkey
from shared.db import Database, Record

_SELECT = """
SELECT p.credential_id, f.user_id, p.public_key, p.sign_count, p.transports
FROM passkeys p JOIN factors f ON f.id = p.factor_id"""

FIND = f"{_SELECT} WHERE p.credential_id = $1"

LIST = f"{_SELECT} WHERE f.user_id = $1 ORDER BY f.id"

# Parameters: $1 credential id, $2 to $4 what the authenticator says of itself. The counter is
# compared again: of two responses with the same one, one is stored.
STORE_STATE = """
UPDATE passkeys SET sign_count = $2, backup_eligible = $3, backed_up = $4
WHERE credential_id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))
RETURNING factor_id"""


def insert_passkey_sql(factor_id: str, condition: str, **columns: str) -> str:
    """Return the statement that stores a passkey, unless its credential id is known.

    `columns`: the values as SQL, such as `public_key="$2"`. It returns a row if it stored one.
    """
    return f"""
INSERT INTO passkeys (factor_id, {", ".join(columns)})
SELECT {factor_id}, {", ".join(columns.values())} WHERE {condition}
ON CONFLICT DO NOTHING
RETURNING factor_id, backed_up"""


async def find_passkey(database: Database, credential_id: bytes) -> Passkey | None:
    """Return the passkey with that credential id, of any user."""
    row = await database.fetchrow(FIND, credential_id)
    return _passkey(row) if row else None


async def list_passkeys(database: Database, user_id: UUID) -> list[Passkey]:
    """Return the user's passkeys, the oldest first."""
    return [_passkey(row) for row in await database.fetch(LIST, user_id)]


def _passkey(row: Record) -> Passkey:
    return Passkey(**{**row, "transports": tuple(row["transports"])})
