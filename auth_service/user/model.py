"""The user."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from auth_service.destination import Channel, Destination
from shared.paging import encode_cursor

IdentifierKind = Literal["sms", "email", "username"]
"""The identifier of an account: the address of a channel, or a username."""
Status = Literal["pending", "active", "disabled"]
FactorKind = Literal["totp", "passkey"]
REGISTRATION_LIFE = timedelta(days=7)
"""An unproven registration is removed after this time."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in.

    `phone_number` is E.164. `generation` counts how often all of the user's
    tokens were revoked. `version` changes with the profile. `locale` is the language of messages.
    `factor_kinds`: the kinds of the confirmed second factors.
    """

    id: UUID
    username: str | None
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_verified: bool
    roles: tuple[str, ...]
    status: Status
    generation: int
    last_login_at: datetime | None
    created_at: datetime
    version: int
    locale: str | None = None
    factor_kinds: tuple[FactorKind, ...] = ()

    def cursor(self) -> str:
        """Return the cursor in lists, which are ordered by id."""
        return encode_cursor([str(self.id)])

    def destinations(self, *channels: Channel) -> list[Destination]:
        """Return the verified addresses of the channels, in that order."""
        verified: dict[Channel, str | None] = {
            "sms": self.phone_number if self.phone_verified else None,
            "email": self.email if self.email_verified else None,
        }
        found = [(channel, verified[channel]) for channel in channels]
        return [Destination(channel, address) for channel, address in found if address]

    def destination(self, *channels: Channel) -> Destination | None:
        """Return the first of these verified addresses, None without one."""
        return next(iter(self.destinations(*channels)), None)

    @property
    def addresses(self) -> list[str]:
        """The verified addresses."""
        return [one.address for one in self.destinations("sms", "email")]

    @property
    def code_identifiers(self) -> list[str]:
        """The identifiers that get codes: the verified addresses, and `@username`."""
        return [*self.addresses, *([f"@{self.username.lower()}"] if self.username else [])]

    @property
    def challenge_context(self) -> dict[str, str]:
        """The data that a code is bound to: revoking the user's tokens invalidates it too."""
        return {"user_id": str(self.id), "generation": str(self.generation)}

    @property
    def active(self) -> bool:
        """Return whether the user may sign in."""
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and the password hash, read at the same moment."""

    user: User
    password: str | None


@dataclass(frozen=True, slots=True)
class AccountLookup:
    """The accounts with an identifier: its verified owner, and the last registration."""

    owner: Account | None
    pending: Account | None

    @property
    def active(self) -> Account | None:
        """The owner, if it may sign in."""
        return self.owner if self.owner and self.owner.user.active else None
