"""The password policy: it refuses common passwords, and has no rules of composition."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Refuses passwords that are common, or that contain the account's name."""

    common: frozenset[str]

    def require(
        self, password: str, *, field: str, username: str | None = None, email: str | None = None
    ) -> None:
        """Return when the password may be set.

        Raises:
            ValidationFailed: it may not; `field` is the field that it came in.
        """
        folded = password.casefold()
        if folded in self.common:
            message = "one of the most common passwords"
            raise ValidationFailed([FieldError(field, "password_common", message)])
        if any(name in folded for name in _names(username, email)):
            message = "holds the username or the mail address's name"
            raise ValidationFailed([FieldError(field, "password_like_name", message)])


def _names(username: str | None, email: str | None) -> list[str]:
    local_part = (email or "").rpartition("@")[0]
    names = [(username or "").casefold(), local_part.casefold()]
    return [name for name in names if len(name) >= SHORTEST_NAME]
