"""The schedule's one statement."""

from collections.abc import Sequence
from uuid import UUID

from media_service.schedule.model import DayBounds
from shared.db import Connection

TODAY_AND_TOMORROW = """
SELECT (WITH due AS (
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
    WHERE user_id = asked.user_id AND due_at >= asked.today AND due_at < asked.ends
      AND status IN ('scheduled', 'published')
)
SELECT json_build_object('scheduled_creatives', json_build_object(
    'today', coalesce(
        json_agg(creative ORDER BY due_at, id) FILTER (WHERE due_at < asked.tomorrow), '[]'),
    'tomorrow', coalesce(
        json_agg(creative ORDER BY due_at, id) FILTER (WHERE due_at >= asked.tomorrow), '[]')
))::text
FROM due)
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
    WITH ORDINALITY AS asked (user_id, today, tomorrow, ends, place)
ORDER BY place
"""
"""Whole answers as JSON text: one range of an owner's index each, nothing decoded on the way.

Times are in UTC, as the connection is, and written as `shared.clock.rfc3339` writes them.
"""


async def scheduled(connection: Connection, asked: Sequence[tuple[UUID, DayBounds]]) -> list[str]:
    """Return the answers of `GET /scheduled` for these users and days, in this order."""
    users = [user_id for user_id, _ in asked]
    bounds = [[getattr(days, name) for _, days in asked] for name in ("today", "tomorrow", "end")]
    return [row[0] for row in await connection.fetch(TODAY_AND_TOMORROW, users, *bounds)]
