"""Keyset pages: an opaque cursor that says where the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from shared.errors import FieldError, ValidationFailed

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
Id = TypeVar("Id")
Item = TypeVar("Item")


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


def cut(
    found: Sequence[Item], limit: int, place: Callable[[Item], Position[Id]]
) -> tuple[list[Item], str | None]:
    """Return a page of at most `limit` and the cursor of the next, None on the last page.

    `found` has one item more than the page when there is a next one.
    """
    shown = list(found[:limit])
    return shown, place(shown[-1]).cursor() if len(found) > limit else None


def cut_by_id(
    found: Sequence[Item], limit: int, id_of: Callable[[Item], UUID]
) -> tuple[list[Item], str | None]:
    """Return a page and the next one's cursor as `cut` does, for a list in the order of its ids."""
    shown = list(found[:limit])
    return shown, encode_cursor([str(id_of(shown[-1]))]) if len(found) > limit else None


def read_id(cursor: str) -> UUID:
    """Return the id that a cursor of `cut_by_id` names.

    Raises:
        ValidationFailed: we did not make this cursor.
    """
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except ValueError:
        raise bad_cursor() from None


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
