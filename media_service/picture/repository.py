"""Every statement on `pictures`, which shows all rows with files, and on `removals`."""

from collections.abc import Sequence
from uuid import UUID

from media_service.picture.model import Picture
from shared.db import Database, Record

FIND_MANY = "SELECT id, user_id, variants FROM pictures WHERE id = ANY($1::uuid[])"

PAGE_AFTER = "SELECT id, user_id, variants FROM pictures WHERE id > $1 ORDER BY id LIMIT $2"

CLAIM_REMOVALS = """
UPDATE removals
SET attempts = attempts + 1,
    due_at = now() + interval '5 seconds' * power(2, least(attempts, 9))
WHERE creative_id IN (
    SELECT creative_id FROM removals WHERE due_at <= now()
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING creative_id AS id, user_id, variants
"""

DELETE_REMOVAL = "DELETE FROM removals WHERE creative_id = $1"


async def find_many(database: Database, ids: Sequence[UUID]) -> list[Picture]:
    """Return the pictures, of all users, with one of the ids."""
    return [_picture(row) for row in await database.fetch(FIND_MANY, ids)]


async def page_after(database: Database, picture_id: UUID, limit: int) -> list[Picture]:
    """Return up to `limit` pictures, of all users, whose ids follow, by id."""
    return [_picture(row) for row in await database.fetch(PAGE_AFTER, picture_id, limit)]


async def claim_removals(database: Database, limit: int) -> list[Picture]:
    """Claim files to delete now; they are due again later, unless their removal is deleted."""
    return [_picture(row) for row in await database.fetch(CLAIM_REMOVALS, limit)]


async def delete_removal(database: Database, picture_id: UUID) -> None:
    """Take a picture off the queue: its files are deleted."""
    await database.execute(DELETE_REMOVAL, picture_id)


def _picture(row: Record) -> Picture:
    return Picture(row["id"], row["user_id"], tuple(row["variants"]))
