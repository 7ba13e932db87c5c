"""Keyset pagination: an opaque cursor marks the start of the next page."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.errors import FieldError, ValidationFailed

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 400
LAST_ID = UUID(int=2**128 - 1)
LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than every item: a list that starts with the newest begins before it."""

Id = TypeVar("Id")
Item = TypeVar("Item", bound="HasCursor")
Shown = TypeVar("Shown")
_STRINGS = TypeAdapter(list[str], config=ConfigDict(strict=True))


@dataclass(frozen=True, slots=True, order=True)
class Position(Generic[Id]):
    """A position in a list that is ordered by a moment, then by id."""

    moment: datetime
    id: Id

    def cursor(self) -> str:
        """Return the position as opaque text."""
        return encode_cursor([self.moment.isoformat(), str(self.id)])

    @classmethod
    def parse(cls, cursor: str, parse_id: Callable[[str], Id]) -> "Position[Id]":
        """Return the position of a cursor; `parse_id` raises ValueError for a malformed id.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        moment, identifier = decode_cursor(cursor, 2)
        try:
            return cls(_parse_aware(moment), parse_id(identifier))
        except (ValueError, OverflowError):
            raise invalid_cursor() from None


class HasCursor(Protocol):
    """An item of a list."""

    def cursor(self) -> str:
        """Return the cursor of the page after this item."""


class PageQuery(BaseModel):
    """The page that is asked for; base of queries with further parameters."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=MAX_CURSOR)

    @property
    def rows(self) -> int:
        """Return the row limit of a statement: one row more shows that another page follows."""
        return self.limit + 1

    def start(self, parse_id: Callable[[str], Id], first: Position[Id]) -> Position[Id]:
        """Return the position before the page, `first` without a cursor.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        return Position.parse(self.cursor, parse_id) if self.cursor else first

    def before_id(self) -> UUID:
        """Return the id before the page, in a list of descending ids.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        if not self.cursor:
            return LAST_ID
        try:
            return UUID(decode_cursor(self.cursor, 1)[0])
        except ValueError:
            raise invalid_cursor() from None


class Page(BaseModel, Generic[Shown]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[Shown]
    next_cursor: str | None

    @classmethod
    def from_rows(
        cls, query: PageQuery, found: Sequence[Item], show: Callable[[Item], Shown]
    ) -> Self:
        """Return the page of `found`, which has up to `query.rows` items."""
        page = found[: query.limit]
        next_cursor = page[-1].cursor() if len(found) > query.limit else None
        return cls(items=[show(item) for item in page], next_cursor=next_cursor)


def encode_cursor(values: Sequence[str]) -> str:
    """Return the sort key of a page's last row as opaque text."""
    packed = json.dumps(list(values), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(text: str, count: int) -> list[str]:
    """Return the `count` strings that `encode_cursor` was given.

    Raises:
        ValidationFailed: the text is no such cursor.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        values = _STRINGS.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        raise invalid_cursor() from None
    if len(values) != count:
        raise invalid_cursor()
    return values


def invalid_cursor() -> ValidationFailed:
    """Return the error for a foreign cursor."""
    return ValidationFailed([FieldError("cursor", "cursor_invalid", "not a cursor of this list")])


def _parse_aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
