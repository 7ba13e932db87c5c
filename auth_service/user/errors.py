"""Errors that depend on the state of an account."""

from shared.errors import DomainError


class UserNotRegistered(DomainError):
    """There is no user with the address."""

    code, status, title = "user_not_registered", 404, "There is no account with that address"


class AccountNotVerified(DomainError):
    """The address has a registration whose code has not been verified yet."""

    code, status, title = "account_not_verified", 403, "The account is not verified yet"
