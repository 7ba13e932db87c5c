"""Keyset pages: an opaque cursor that says where the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import FieldError, ValidationFailed

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 400
LAST_ID = UUID(int=2**128 - 1)
LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than anything in a list: the newest first begin before it."""

Id = TypeVar("Id")
Item = TypeVar("Item", bound="Listed")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True, order=True)
class Position(Generic[Id]):
    """A place in a list that is ordered by a moment, ties by id."""

    moment: datetime
    id: Id

    def cursor(self) -> str:
        """Return the place as opaque text."""
        return encode_cursor([self.moment.isoformat(), str(self.id)])

    @classmethod
    def read(cls, cursor: str, read_id: Callable[[str], Id]) -> "Position[Id]":
        """Return the place that a cursor names; `read_id` raises ValueError for what is no id.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        moment, identifier = decode_cursor(cursor, 2)
        try:
            return cls(_aware(moment), read_id(identifier))
        except (ValueError, OverflowError):
            raise bad_cursor() from None


def id_cursor(identifier: UUID) -> str:
    """Return the place as opaque text, in a list that is ordered by its ids."""
    return encode_cursor([str(identifier)])


def read_id(cursor: str) -> UUID:
    """Return the id that `id_cursor` was given.

    Raises:
        ValidationFailed: we did not make this cursor.
    """
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except ValueError:
        raise bad_cursor() from None


class Listed(Protocol):
    """What a list is made of."""

    def cursor(self) -> str:
        """Return where the next page begins when this is the last of a page."""
        ...


class PageQuery(BaseModel):
    """Which page of a list; base of the queries that also say which list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=MAX_CURSOR)

    @property
    def rows(self) -> int:
        """Return how many to look for: one more than is shown tells whether a page follows."""
        return self.limit + 1

    def start(self, read_id: Callable[[str], Id], first: Position[Id]) -> Position[Id]:
        """Return the place that the page is behind, `first` without a cursor.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        return Position.read(self.cursor, read_id) if self.cursor else first

    def before_id(self) -> UUID:
        """Return the id that the page is behind, in a list that is by id, the last one first.

        Raises:
            ValidationFailed: we did not make this cursor.
        """
        return read_id(self.cursor) if self.cursor else LAST_ID


class Page(BaseModel, Generic[Shown]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[Shown]
    next_cursor: str | None

    @classmethod
    def of(cls, query: PageQuery, found: Sequence[Item], show: Callable[[Item], Shown]) -> Self:
        """Return the page that is asked for, of up to `query.rows` that were found."""
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
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    if not isinstance(values, list) or len(values) != count:
        raise bad_cursor()
    if not all(isinstance(value, str) for value in values):
        raise bad_cursor()
    return values


def bad_cursor() -> ValidationFailed:
    """Return the refusal for a cursor that we did not make."""
    return ValidationFailed([FieldError("cursor", "cursor_invalid", "not a cursor of this list")])


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
