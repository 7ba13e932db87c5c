"""Keyset pages: an opaque cursor that says where the next page begins."""

import base64
import binascii
import json
from collections.abc import Sequence

from shared.errors import FieldError, ValidationFailed

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


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
