"""What is removed from any table, and how far the stream of deleted users was read."""

from uuid import UUID

from shared.db import Connection, Database

FIND_CURSOR = "SELECT entry FROM followed_streams WHERE name = $1"

SAVE_CURSOR = """
INSERT INTO followed_streams (name, entry) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET entry = excluded.entry"""

# A product names its photo, so it goes first. Triggers note the files, which follow.
DELETE_BATCH = (
    "DELETE FROM products WHERE id IN (SELECT id FROM products WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM photos WHERE id IN (SELECT id FROM photos WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM creatives WHERE id IN (SELECT id FROM creatives WHERE user_id = $1 LIMIT $2)",
    """
DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
    SELECT user_id, route, key FROM idempotency_keys WHERE user_id = $1 LIMIT $2)""",
)

# Of a product its photo alone goes; the product stays, and whoever lists it sees none.
DELETE_PICTURE = (
    """
UPDATE products SET photo_id = NULL, updated_at = now(), version = version + 1
WHERE photo_id = $1""",
    "DELETE FROM photos WHERE id = $1",
    "DELETE FROM creatives WHERE id = $1",
)


async def find_cursor(database: Database, stream: str) -> str | None:
    """Return the last entry of which everything is done."""
    async with database.connection() as connection:
        place: str | None = await connection.fetchval(FIND_CURSOR, stream)
    return place


async def save_cursor(database: Database, stream: str, entry: str) -> None:
    """Note that everything up to an entry is done."""
    async with database.connection() as connection:
        await connection.execute(SAVE_CURSOR, stream, entry)


async def delete_batch(connection: Connection, user_id: UUID, limit: int) -> int:
    """Remove up to `limit` rows of the first kinds that the user has; return how many.

    A kind is begun when the one before it, which may name its rows, is gone. Each statement
    stands alone: the user's row, which every removal locks last, is not held from one to the next.
    """
    removed = 0
    for statement in DELETE_BATCH:
        status: str = await connection.execute(statement, user_id, limit)
        count = int(status.rpartition(" ")[2])
        removed += count
        if count == limit:
            break
    return removed


async def delete_picture(database: Database, picture_id: UUID) -> None:
    """Remove a creative, or a product's photo; triggers note the files that are left of it."""
    async with database.transaction() as connection:
        for statement in DELETE_PICTURE:
            await connection.execute(statement, picture_id)
