"""The schedule's one statement."""

from uuid import UUID

from media_service.schedule.model import Days
from shared.db import Connection

TODAY_AND_TOMORROW = """
WITH due AS (
    SELECT due_at, id, json_build_object(
        'id', id,
        'title', title,
        'content_type', content_type,
        'bytes', size,
        'width', width,
        'height', height,
        'sha256', encode(sha256, 'hex'),
        'placeholder', placeholder,
        'scheduled_at', replace(to_char(due_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''),
        'timezone', timezone,
        'status', status,
        'variants', variants,
        'file_url', '/v1/media/creatives/' || id || '/file',
        'created_at', replace(to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''),
        'updated_at', replace(to_char(updated_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''),
        'version', version
    ) AS creative
    FROM creatives
    WHERE user_id = $1 AND due_at >= $2 AND due_at < $4
      AND status IN ('scheduled', 'published')
)
SELECT json_build_object('scheduled_creatives', json_build_object(
    'today', coalesce(
        json_agg(creative ORDER BY due_at, id) FILTER (WHERE due_at < $3), '[]'),
    'tomorrow', coalesce(
        json_agg(creative ORDER BY due_at, id) FILTER (WHERE due_at >= $3), '[]')
))::text
FROM due
"""
"""The whole answer as JSON text: one range of the owner's index, nothing decoded on the way.

Times are in UTC, as the connection is, and written as `shared.clock.rfc3339` writes them.
"""


async def scheduled(connection: Connection, user_id: UUID, days: Days) -> str:
    """Return the answer of `GET /scheduled` as JSON text."""
    text: str = await connection.fetchval(
        TODAY_AND_TOMORROW, user_id, days.today, days.tomorrow, days.end
    )
    return text
