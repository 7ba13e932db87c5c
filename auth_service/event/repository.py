"""Events as parts of the statements that cause them, so that both are stored or neither.

A statement composes the rows here, and inserts them by `record_events_sql`.
"""

from auth_service.event.model import OPERATORS, EventType
from shared.clock import rfc3339_sql
from shared.db import Database
from shared.webhooks.event.model import Event
from shared.webhooks.event.repository import insert_events_sql

INSERT_ONCE = f"""
{insert_events_sql("VALUES ($1, $2, $3, $4, $5)")} ON CONFLICT (id) DO NOTHING"""


def record_events_sql(*rows: str) -> str:
    """Return the body of a CTE that inserts the rows, in their order."""
    return insert_events_sql(" UNION ALL ".join(rows))


def audited_at_sql(parameter: int) -> str:
    """Return the time of the audit event in a parameter."""
    return f"(${parameter}::jsonb ->> 'created_at')::timestamptz"


def user_rows_sql(parameter: int, source: str, event_type: EventType | None = None) -> str:
    """Return the event about each user of `source`, which has the columns of `users`.

    `parameter`: the statement's parameter that gets `AuditLog.to_json(event)`. It names the event's
    type, or none: then there is no row. `event_type`: the type, whatever the parameter names.
    """
    audited = f"${parameter}::jsonb"
    named = _text(event_type) if event_type else f"{audited} ->> 'webhook_event'"
    where = "" if event_type else f" WHERE {named} IS NOT NULL"
    data = {
        "id": "id",
        "status": "status",
        "roles": "roles",
        "created_at": rfc3339_sql("created_at"),
        "email": _contact_sql("email", "email_verified", audited),
        "phone_number": _contact_sql("phone_number", "phone_verified", audited),
    }
    return _rows_sql(named, audited_at_sql(parameter), data, source) + where


def session_rows_sql(event_type: EventType, source: str, at: str) -> str:
    """Return the event about each session of `source`, which has the columns of `sessions`.

    A session that had expired before `at` has ended without an event.
    """
    data = {
        "id": "id",
        "user_id": "user_id",
        "created_at": rfc3339_sql("created_at"),
        "amr": "amr",
        "reason": "revoked_reason",
    }
    return f"{_rows_sql(_text(event_type), at, data, source)} WHERE expires_at > {at}"


def factor_rows_sql(event_type: EventType, source: str, at: str) -> str:
    """Return the event about each confirmed factor of `source`, with the columns of `factors`."""
    data = {"id": "id", "user_id": "user_id", "kind": "kind"}
    return f"{_rows_sql(_text(event_type), at, data, source)} WHERE confirmed_at IS NOT NULL"


def _rows_sql(event_type: str, at: str, data: dict[str, str], source: str) -> str:
    fields = ", ".join(f"'{name}', {value}" for name, value in data.items())
    return (
        f"SELECT gen_random_uuid(), '{OPERATORS}'::uuid, {event_type}, {at},"
        f" json_build_object({fields}) FROM {source}"
    )


def _text(event_type: EventType) -> str:
    return f"'{event_type}'"


def _contact_sql(column: str, verified: str, audited: str) -> str:
    """Return a verified address: masked as `shared.logs.mask` does, or whole."""
    masked = f"'…' || right(split_part({column}, '@', 1), 2)"
    return f"""CASE WHEN {verified} THEN
        CASE {audited} ->> 'webhook_contacts' WHEN 'full' THEN {column} ELSE {masked} END END"""


async def insert_once(database: Database, event: Event) -> None:
    """Store an event; do nothing if one with its id is stored."""
    await database.execute(
        INSERT_ONCE, event.id, event.user_id, event.type, event.occurred_at, event.data
    )
