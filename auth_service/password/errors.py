"""Errors of passwords."""

from shared.errors import DomainError, Unauthorized


class InvalidCredentials(Unauthorized):
    """Name and password do not match; the answer does not say whether the name exists."""

    code, title = "invalid_credentials", "The name or the password is wrong"


class WrongPassword(DomainError):
    """The caller is signed in, and the password is wrong."""

    code, status, title = "invalid_credentials", 403, "The password is wrong"
