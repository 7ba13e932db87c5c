"""A registration: the identifiers and names that a person claims, until a code proves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth_service.destination import Destination

RESENT = "resent"
"""Marks the context of a code that was requested again."""


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """The claimed identifiers and names. `mobile` is E.164; `password` is plain text."""

    mobile: str | None
    email: str | None
    username: str | None
    password: str | None
    first_name: str | None
    last_name: str | None

    @property
    def destination(self) -> Destination:
        """The address that gets the code: the mobile if there is one."""
        if self.mobile is not None:
            return Destination("sms", self.mobile)
        return Destination("email", self.email or "")

    @property
    def name(self) -> str:
        """The display name until the user changes it."""
        names = [name for name in (self.first_name, self.last_name) if name]
        return " ".join(names) or self.username or ""


@dataclass(frozen=True, slots=True)
class TakenIdentifiers:
    """Which of the identifiers belong to a verified account."""

    mobile: bool
    email: bool
    username: bool


@dataclass(frozen=True, slots=True)
class SelectedRegistration:
    """The registration to activate, and whether it keeps its claimed profile."""

    id: UUID
    keep_profile: bool


def select_registration(
    open_: Sequence[UUID], sent_for: UUID | None, *, by_handle: bool
) -> SelectedRegistration | None:
    """Return the registration to activate among an address's open ones, the newest first.

    `sent_for`: the registration that the code was sent for. A code that was requested again names
    one only if the request showed that registration's handle and the code came with its own. Any
    other code proves the address alone: password, username and names may be another person's. The
    same holds when several registrations are open and the code comes without its handle.
    """
    if sent_for is not None and by_handle:
        return SelectedRegistration(sent_for, keep_profile=True) if sent_for in open_ else None
    return SelectedRegistration(open_[0], keep_profile=list(open_) == [sent_for]) if open_ else None
