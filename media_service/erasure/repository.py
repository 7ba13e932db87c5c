"""Deletes a user's rows of all tables; stores the cursor in the stream of deleted users."""

from datetime import datetime
from uuid import UUID

from media_service.creative import repository as creatives
from media_service.feed import repository as feeds
from media_service.idempotency import repository as idempotency
from media_service.product import repository as products
from shared.db import Connection, Database
from shared.webhooks.delivery import repository as deliveries
from shared.webhooks.endpoint import repository as webhooks
from shared.webhooks.event import repository as events

FIND_CURSOR = "SELECT entry FROM followed_streams WHERE name = $1"

SAVE_CURSOR = """
INSERT INTO followed_streams (name, entry) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET entry = excluded.entry"""

# A product refers to its photo, so it is deleted first. Triggers queue the files. Events follow
# the creatives, of which the publisher may write some until then.
DELETE_BATCH = (
    products.DELETE_BATCH,
    products.DELETE_PHOTO_BATCH,
    creatives.DELETE_BATCH,
    events.DELETE_BATCH,
    idempotency.DELETE_BATCH,
    feeds.DELETE_BATCH,
    deliveries.DELETE_BATCH,
    webhooks.DELETE_BATCH,
)

TABLES = (
    *("products", "photos", "creatives", "events", "idempotency_keys", "webhook_endpoints"),
    "feeds",
)
"""Those whose rows name their user."""
_HAS_ROWS = " OR ".join(
    f"EXISTS (SELECT FROM {table} WHERE {table}.user_id = owners.user_id)" for table in TABLES
)
FIND_LEFTOVERS = f"SELECT user_id FROM owners WHERE deleted_at > $1 AND ({_HAS_ROWS})"

DELETE_PICTURE = (products.DELETE_PHOTO, creatives.DELETE_LOST)


async def find_cursor(database: Database, stream: str) -> str | None:
    """Return the last entry that is processed whole."""
    cursor: str | None = await database.fetchval(FIND_CURSOR, stream)
    return cursor


async def save_cursor(database: Database, stream: str, entry: str) -> None:
    """Store that all entries up to this one are processed."""
    await database.execute(SAVE_CURSOR, stream, entry)


async def delete_batch(database: Database, user_id: UUID, limit: int) -> int:
    """Delete up to `limit` rows of each table in turn; return how many.

    The next table follows when the one before it, which may refer to its rows, is empty. Each
    statement is a transaction: the user's row, which every deletion locks last, is not held longer.
    """
    deleted = 0
    for statement in DELETE_BATCH:
        status = await database.execute(statement, user_id, limit)
        count = int(status.rpartition(" ")[2])
        deleted += count
        if count == limit:
            break
    return deleted


async def find_leftovers(database: Database, since: datetime) -> list[UUID]:
    """Return the users that were deleted since then and still have a row."""
    return [row["user_id"] for row in await database.fetch(FIND_LEFTOVERS, since)]


async def delete_picture(connection: Connection, picture_id: UUID) -> None:
    """Delete a creative or a product's photo; triggers queue the files that are left."""
    for statement in DELETE_PICTURE:
        await connection.execute(statement, picture_id)
