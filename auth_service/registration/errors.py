"""Errors of registrations."""

from shared.errors import DomainError


class AlreadyRegistered(DomainError):
    """A verified account has the number, the address or the username."""

    code, status, title = "already_registered", 409, "There is an account with that name already"
