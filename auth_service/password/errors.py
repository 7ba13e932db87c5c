"""Refusals of passwords."""

from shared.errors import DomainError, Unauthorized


class InvalidCredentials(Unauthorized):
    """Name and password do not belong together; whether the name exists is not said."""

    code, title = "invalid_credentials", "The name or the password is wrong"


class WrongPassword(DomainError):
    """The caller is known, and the password given is not theirs."""

    code, status, title = "invalid_credentials", 403, "The password is wrong"
