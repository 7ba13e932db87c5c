"""A session, and what proves one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from auth_service.audit.model import Event, Origin
from auth_service.client import Client
from auth_service.destination import Channel
from auth_service.keyring import Keyring
from auth_service.opaque_tokens import encode_token
from auth_service.user.model import User
from shared.paging import Position

BY_PASSWORD = ("pwd",)
BY_CODE: dict[Channel, tuple[str, ...]] = {"sms": ("otp", "sms"), "email": ("otp", "email")}
"""How the user was authenticated. Source: RFC 8176 §2, which knows no `email`."""
REVOCATION_SLACK = timedelta(minutes=1)
"""A token may be signed a moment after its session was read."""


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in device. `expires_at`: nothing of it outlives this.

    `device_id`: what its device token stands for; None in sessions from before there were any.
    """

    id: UUID
    user_agent: str | None
    ip: IPv4Address | IPv6Address
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    amr: tuple[str, ...]
    auth_time: datetime
    device_id: bytes | None = None

    def cursor(self) -> str:
        """Return the place in its user's list."""
        return Position(self.created_at, self.id).cursor()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from: a user in a session, both alive a moment ago.

    `auth_time`: when they last proved who they are, as their token says. `device_id`: their device.
    """

    user: User
    session_id: UUID
    auth_time: datetime
    device_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """How long things of a session last."""

    absolute: timedelta
    idle: timedelta
    refresh_grace: timedelta
    access_token: timedelta

    def refresh_expiry(self, session_ends: datetime, now: datetime) -> datetime:
        """Return when a refresh token given out now expires."""
        return min(session_ends, now + self.idle)

    def revocation_expiry(self, now: datetime) -> datetime:
        """Return when the last access token of a session revoked now has expired."""
        return now + self.access_token + REVOCATION_SLACK


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user in a session with its current refresh token: what a TokenPair is made of."""

    user: User
    session: Session
    refresh_token: str
    refresh_expires_at: datetime


def derive_successors(keyring: Keyring, token: str) -> Sequence[str]:
    """Return what follows `token` under every key, the signing one first.

    Derived, not drawn: whoever presents the same token gets the same successor, so that fifty
    requests at once make one lineage.
    """
    return [encode_token("chr_", mac) for mac in keyring.macs("refresh", token.encode())]


@dataclass(frozen=True, slots=True)
class SignInContext:
    """How somebody comes in: from which client, and by what (`amr`, RFC 8176).

    `asked_at`: when the code was asked for that they come in by.
    """

    client: Client
    amr: tuple[str, ...]
    code_requested_at: datetime | None = None

    @property
    def origin(self) -> Origin:
        """Where they come from, as events tell it."""
        return Origin(self.client.address, self.client.user_agent, self.client.request_id)

    def event(self, *, user_id: UUID | None = None, **details: str) -> Event:
        """Return the event that tells of it."""
        method = " ".join(self.amr)
        return Event("user.signed_in", self.origin, user_id, details={"method": method, **details})
