"""The password policy: it refuses common passwords, and has no rules of composition."""

from functools import cache
from importlib.resources import files

from shared.errors import FieldError, ValidationFailed

SHORTEST_NAME = 3
"""Shorter names occur in too many good passwords."""


@cache
def common_passwords() -> frozenset[str]:
    """Return the 10,000 most common passwords, in lower case.

    Source: the list of zxcvbn (MIT, `common.LICENSE.txt`).
    """
    text = files("auth_service.password").joinpath("common.txt").read_text(encoding="utf-8")
    return frozenset(text.split("\n")) - {""}


def require_acceptable_password(
    password: str, *, field: str, username: str | None = None, email: str | None = None
) -> None:
    """Return if the password is neither common nor contains the account's name.

    Raises:
        ValidationFailed: it is, or does; `field` is the field of the request.
    """
    folded = password.casefold()
    if folded in common_passwords():
        message = "one of the most common passwords"
        raise ValidationFailed([FieldError(field, "password_common", message)])
    if any(name in folded for name in _names(username, email)):
        message = "holds the username or the mail address's name"
        raise ValidationFailed([FieldError(field, "password_like_name", message)])


def _names(username: str | None, email: str | None) -> list[str]:
    local_part = (email or "").rpartition("@")[0]
    names = [(username or "").casefold(), local_part.casefold()]
    return [name for name in names if len(name) >= SHORTEST_NAME]
