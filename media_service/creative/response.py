"""The fields of a creative in responses: their values, and the SQL that writes the same JSON."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from media_service.creative.model import Creative
from media_service.creative.repository import PUBLISHED_AT
from media_service.creative.signed_link import Link
from media_service.picture.schemas import PREFIX
from shared.clock import rfc3339_sql


class ResponseField(NamedTuple):
    """The value of one field, and the SQL expression of the same value."""

    value: Callable[[Creative], Any]
    sql: str


def creative_url(creative_id: UUID | str) -> str:
    """Return the path of a creative."""
    return f"{PREFIX}/creatives/{creative_id}"


def link_url(link: Link, signature: str) -> str:
    """Return the path and query of a signed link."""
    query = {"variant": link.variant, "expires": link.expires, "signature": signature}
    return f"{creative_url(link.creative_id)}/file?{urlencode(query)}"


def _column(name: str) -> ResponseField:
    return ResponseField(attrgetter(name), name)


def _time(name: str) -> ResponseField:
    return ResponseField(attrgetter(name), rfc3339_sql(name))


RESPONSE_FIELDS = {
    "id": _column("id"),
    "title": _column("title"),
    "content_type": _column("content_type"),
    "bytes": _column("size"),
    "width": _column("width"),
    "height": _column("height"),
    "sha256": ResponseField(lambda creative: creative.sha256.hex(), "encode(sha256, 'hex')"),
    "placeholder": _column("placeholder"),
    "scheduled_at": _time("due_at"),
    "timezone": _column("timezone"),
    "status": _column("status"),
    "published_at": ResponseField(attrgetter("published_at"), rfc3339_sql(PUBLISHED_AT)),
    "variants": ResponseField(lambda creative: list(creative.variants), "variants"),
    "file_url": ResponseField(
        lambda creative: f"{creative_url(creative.id)}/file",
        f"'{creative_url('')}' || id || '/file'",
    ),
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
    "version": _column("version"),
}
"""In the order of the JSON. A new field of `CreativeResponse` needs an entry."""


def creative_fields(creative: Creative) -> dict[str, Any]:
    """Return a creative's fields in responses and events."""
    return {name: field.value(creative) for name, field in RESPONSE_FIELDS.items()}


def creative_json(**fields: str) -> str:
    """Return the SQL of a creative's JSON, from a row of `creatives`.

    `fields`: the SQL of further fields, or of some in place of theirs.
    """
    all_fields = {name: field.sql for name, field in RESPONSE_FIELDS.items()} | fields
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in all_fields.items())
    return f"json_build_object({pairs})"
