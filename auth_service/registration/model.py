"""A registration: what somebody claims to be, until its code is proven."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth_service.destination import Destination


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """What is claimed. `mobile` is E.164; `password` is plain, and is kept as a hash alone."""

    mobile: str | None
    email: str | None
    username: str | None
    password: str | None
    first_name: str | None
    last_name: str | None

    @property
    def destination(self) -> Destination:
        """Where the code goes: to the mobile if there is one."""
        if self.mobile is not None:
            return Destination("sms", self.mobile)
        return Destination("email", self.email or "")

    @property
    def name(self) -> str:
        """What the user is called until they say otherwise."""
        names = [name for name in (self.first_name, self.last_name) if name]
        return " ".join(names) or self.username or ""


@dataclass(frozen=True, slots=True)
class TakenIdentifiers:
    """Which of the claims a verified account has."""

    mobile: bool
    email: bool
    username: bool


@dataclass(frozen=True, slots=True)
class SelectedRegistration:
    """The registration that a proof activates, and whether it keeps what it claimed."""

    id: UUID
    keep_profile: bool


def select_registration(
    fresh: Sequence[UUID], named: UUID | None, *, by_handle: bool
) -> SelectedRegistration | None:
    """Return what to activate among an address's open registrations, the newest first.

    `named`: the registration that the proven code was sent for. A code that was asked for again
    names one only when that registration's handle was shown, and its own with the code. It proves
    the address alone else: password, username and names may be those of a stranger. So may they
    be where several registrations are open and the code is proven without its handle.
    """
    if named is not None and by_handle:
        return SelectedRegistration(named, keep_profile=True) if named in fresh else None
    return SelectedRegistration(fresh[0], keep_profile=list(fresh) == [named]) if fresh else None
