"""Errors that depend on the state of an account."""

from shared.errors import DomainError


class UserNotRegistered(DomainError):
    """Nobody has registered with the address."""

    code, status, title = "user_not_registered", 404, "There is no account with that address"


class AccountNotVerified(DomainError):
    """There is a registration, whose code was not sent back yet."""

    code, status, title = "account_not_verified", 403, "The account is not verified yet"
