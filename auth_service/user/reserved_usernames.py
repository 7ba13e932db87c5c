"""Usernames that no user may take: they would look like the service, or like no value."""

from collections.abc import Iterable

from shared.errors import FieldError, ValidationFailed

_SEPARATORS = str.maketrans("", "", ".-_")


def normalize(username: str) -> str:
    """Return the form that is compared: readers take `Ad-Min` for `admin`."""
    return username.translate(_SEPARATORS).lower()


def require_not_reserved(username: str, reserved: Iterable[str]) -> None:
    """Return if the username may be taken.

    Raises:
        ValidationFailed: it is reserved.
    """
    if normalize(username) in map(normalize, reserved):
        raise ValidationFailed([FieldError("username", "reserved", "this username is reserved")])
