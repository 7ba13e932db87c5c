"""The statement of the schedule."""

from collections.abc import Sequence
from uuid import UUID

from media_service.creative.response import creative_json
from media_service.schedule.model import DayBounds
from shared.db import Executor

TODAY_AND_TOMORROW = f"""
SELECT (WITH due AS (
    SELECT due_at, id, {creative_json()} AS creative
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
"""Whole answers as JSON text: each reads one range of a user's index, and nothing is decoded."""


async def read_schedules(executor: Executor, asked: Sequence[tuple[UUID, DayBounds]]) -> list[str]:
    """Return the answers of `GET /scheduled` for these users and days, in this order."""
    users = [user_id for user_id, _ in asked]
    bounds = [[getattr(days, name) for _, days in asked] for name in ("today", "tomorrow", "end")]
    return [row[0] for row in await executor.fetch(TODAY_AND_TOMORROW, users, *bounds)]
