"""The table `recovery_codes`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from auth_service.audit.repository import insert_event_sql
from auth_service.factor.model import RecoveryCodeUse
from shared.db import Connection, Database

REMOVE_CODES = "DELETE FROM recovery_codes WHERE user_id = $1"

INSERT_CODES = """
INSERT INTO recovery_codes (hash, user_id, created_at)
SELECT hash, $1, $3 FROM unnest($2::bytea[]) hash"""

COUNT_CODES = "SELECT count(*) FROM recovery_codes WHERE user_id = $1"

# Of concurrent uses of one code, one gets a row.
USE_CODE = f"""
WITH used AS (
    DELETE FROM recovery_codes WHERE hash = $1 AND user_id = $2 RETURNING 1
)
{insert_event_sql(3, "used")}"""


async def replace_recovery_codes(
    connection: Connection, user_id: UUID, hashes: Sequence[bytes], now: datetime
) -> None:
    """Store new recovery codes of the locked user in place of the old ones."""
    await connection.execute(REMOVE_CODES, user_id)
    await connection.execute(INSERT_CODES, user_id, hashes, now)


async def count_recovery_codes(database: Database, user_id: UUID) -> int:
    """Return how many recovery codes are left."""
    return int(await database.fetchval(COUNT_CODES, user_id))


async def use_recovery_code(connection: Connection, use: RecoveryCodeUse) -> bool:
    """Use a recovery code; of concurrent calls one returns True."""
    status: str = await connection.execute(USE_CODE, use.hash, use.user_id, use.event_json)
    return status == "INSERT 0 1"
