"""A session, its lifetimes, and the context of a sign-in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Self
from uuid import UUID

from auth_service.audit.model import Event, EventName, Origin
from auth_service.client import Client
from auth_service.destination import Channel
from auth_service.keyring import Keyring
from auth_service.revocation.model import NewRevocation, StoredRevocation
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from shared.opaque_tokens import encode_token
from shared.paging import Position

BY_PASSWORD: tuple[str, ...] = ("pwd",)
BY_CODE: dict[Channel, tuple[str, ...]] = {"sms": ("otp", "sms"), "email": ("otp", "email")}
"""How the user was authenticated. Source: RFC 8176 §2, which knows no `email`."""
MFA = "mfa"
"""The method of a session whose user proved a second factor too. Source: RFC 8176 §2."""
REVOCATION_SLACK = timedelta(minutes=1)
"""A token may be signed a moment after its session was read."""


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in device. `expires_at`: the end of the session and all its tokens.

    `amr`: its methods, those of the last authentication last.
    `device_id`: the id in its device token; None in sessions older than device tokens.
    `rotations`: how often its refresh token was exchanged.
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
    rotations: int = 0

    @property
    def acr(self) -> str:
        """The assurance level of its authentication. Source: NIST SP 800-63B-4 §2.

        A code after a password is no second factor: a reset by the same contact replaces the
        password.
        """
        return "aal2" if MFA in self.amr else "aal1"

    def cursor(self) -> str:
        """Return the cursor in the user's list."""
        return Position(self.created_at, self.id).cursor()


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and the session that sent a request.

    `auth_time`, `rotations`, `amr`: those of the token. `device_id`: the session's device.
    """

    user: User
    session_id: UUID
    auth_time: datetime
    device_id: bytes | None = None
    rotations: int = 0
    amr: tuple[str, ...] = ()

    def event(self, name: EventName, origin: Origin, **details: str) -> Event:
        """Return an event that the caller causes in their own account."""
        return Event(name, origin, self.user.id, session_id=self.session_id, details=details)


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """The stored session that an access token belongs to, with its user.

    `rotations_seen`: how many of its rotations the client is known to have received. `amr`: its
    methods, without `mfa` once a factor of the user was removed.
    """

    user: User
    device_id: bytes | None
    rotations_seen: int
    amr: tuple[str, ...]

    def still_counted(self, amr: Iterable[str]) -> tuple[str, ...]:
        """Return those methods of a token that count: not a factor that was removed since."""
        return tuple(method for method in amr if method != MFA or MFA in self.amr)


@dataclass(frozen=True, slots=True)
class Authentication:
    """An authentication in a session: its methods (`amr`, RFC 8176) and its time."""

    amr: tuple[str, ...]
    auth_time: datetime


@dataclass(frozen=True, slots=True)
class ActiveSessionFilter:
    """The sessions of a user that are active `now`: none that was last used before `used_after`."""

    user_id: UUID
    now: datetime
    used_after: datetime


@dataclass(frozen=True, slots=True)
class RevokeResult:
    """The result of revoking a session; `revocation` is None when it had ended before."""

    found: bool
    revocation: StoredRevocation | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A refresh token that was issued, used or not."""

    hash: bytes
    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class LockedRefreshToken:
    """A refresh token that was issued, with its session's row locked; `hash` is its stored hash.

    `successor_hash` is set once it was exchanged, `successor_used_at` once its successor was.
    `successor_is_seen`: whether auth_service has seen an access token of the newest successor.
    """

    hash: bytes
    user: User
    session: Session
    session_revoked: bool
    expires_at: datetime
    used_at: datetime | None
    successor_hash: bytes | None
    successor_used_at: datetime | None
    successor_expires_at: datetime | None
    successor_is_seen: bool


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """The lifetimes of a session and its tokens."""

    absolute: timedelta
    idle: timedelta
    refresh_grace: timedelta
    access_token: timedelta

    @classmethod
    def of(cls, settings: AuthSettings) -> Self:
        """Return the lifetimes that the settings name."""
        return cls(
            absolute=timedelta(seconds=settings.refresh_token_ttl),
            idle=timedelta(seconds=settings.session_idle_ttl),
            refresh_grace=timedelta(seconds=settings.refresh_grace),
            access_token=timedelta(seconds=settings.access_token_ttl),
        )

    def refresh_expiry(self, session_ends: datetime, now: datetime) -> datetime:
        """Return when a refresh token issued now expires."""
        return min(session_ends, now + self.idle)

    def revocation_expiry(self, now: datetime) -> datetime:
        """Return when the last access token of a session that is revoked now has expired."""
        return now + self.access_token + REVOCATION_SLACK

    def new_revocation(self, reason: str, event_json: str, now: datetime) -> NewRevocation:
        """Return a revocation that happens now, with its audit event."""
        return NewRevocation(reason, event_json, now, self.revocation_expiry(now))


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user with a session and its current refresh token, from which a TokenPair is made."""

    user: User
    session: Session
    refresh_token: str
    refresh_expires_at: datetime


def derive_successors(keyring: Keyring, token: str) -> Sequence[str]:
    """Return the successor of `token` under every key, the signing one first.

    It is derived, not random: the same token always gets the same successor, so that concurrent
    requests with one token make one lineage.
    """
    return [encode_token("chr_", mac) for mac in keyring.macs("refresh", token.encode())]


@dataclass(frozen=True, slots=True)
class SignInContext:
    """The client of a request and its authentication methods (`amr`, RFC 8176).

    `code_requested_at`: when the code that authenticates it was requested.
    """

    client: Client
    amr: tuple[str, ...]
    code_requested_at: datetime | None = None

    @property
    def origin(self) -> Origin:
        """The origin for audit events."""
        return Origin(self.client.address, self.client.user_agent, self.client.request_id)

    @property
    def details(self) -> dict[str, str]:
        """The details of audit events."""
        return {"method": " ".join(self.amr)}

    def with_methods(self, amr: Iterable[str]) -> Self:
        """Return the context with further methods, each of them once."""
        return replace(self, amr=tuple(dict.fromkeys((*self.amr, *amr))))

    def event(self, *, user_id: UUID | None = None, **details: str) -> Event:
        """Return the audit event of the sign-in."""
        return Event("user.signed_in", self.origin, user_id, details={**self.details, **details})
