"""Types of a sign-in: the verified contact, the session to store, and the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

from auth_service.destination import Channel
from auth_service.session.errors import MfaEnrolmentRequired, MfaRequired
from auth_service.session.model import Session, SignedInUser, SignInContext
from auth_service.user.model import User

T = TypeVar("T")

RECOVERY_CODE = "recovery_code"
"""The method of a user without a factor at hand."""
MfaScope = Literal["mfa", "mfa_enrolment"]
"""`mfa_enrolment`: with such a ticket a factor is added."""
MFA_TICKET_LIFE = timedelta(minutes=10)
MAX_SESSIONS = 100
"""The most active sessions of a user."""
SURPLUS_CHECK_THRESHOLD = 50
"""From here on a sign-in checks for surplus. Lower than the cap, for concurrent sign-ins."""


@dataclass(frozen=True, slots=True)
class VerifiedContact:
    """A phone number that was just verified; `new_user_id` and `name` are for a new user."""

    phone_number: str
    new_user_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to store. `may_lack_factor`: also for a user with a second factor.

    `factor_roles`: the roles whose users need one.
    """

    id: UUID
    context: SignInContext
    now: datetime
    expires_at: datetime
    refresh_hash: bytes
    refresh_expires_at: datetime
    event_json: str
    may_lack_factor: bool
    factor_roles: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """The rows that a sign-in stored.

    `known_network`: the user signed in before from the client's network with the same program.
    `has_many_sessions`: the user had `SURPLUS_CHECK_THRESHOLD` active ones or more.
    """

    user: User
    session: Session
    is_new: bool
    known_network: bool
    has_many_sessions: bool


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to store. `device`: the only device that may use it; None: any may."""

    scope: MfaScope
    hash: bytes
    device: bytes | None
    amr: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in with a right first factor, which waits for a second one; no session exists.

    `methods`: how the second factor can be proven; empty: the user has to add one. `channel`: that
    of the code that was sent, which the user needs to add one.
    """

    ticket: str
    methods: tuple[str, ...]
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A created session.

    `is_new`: the user was created, or activated, with it. `known_network`: as in `StoredSignIn`.
    `ended_others`: it revoked sessions beyond `MAX_SESSIONS`, which has to be published.
    """

    signed_in: SignedInUser
    is_new: bool
    known_network: bool
    ended_others: bool = False


def require_complete(result: T | PendingSignIn) -> T:
    """Return the result of a sign-in; called after the commit, which stored the ticket.

    Raises:
        MfaRequired: it waits for a second factor.
        MfaEnrolmentRequired: it waits for the user to add one.
    """
    if isinstance(result, PendingSignIn):
        expires_in = int(MFA_TICKET_LIFE.total_seconds())
        if not result.methods:
            raise MfaEnrolmentRequired(result.ticket, expires_in, result.channel)
        raise MfaRequired(result.methods, result.ticket, expires_in)
    return result
