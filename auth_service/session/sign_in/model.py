"""Who a session is for, and what is stored of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.client import Client
from auth_service.session.model import Session, SignedInUser
from auth_service.user.model import User

MAX_SESSIONS = 100
"""How many live sessions a user has at most."""
SURPLUS_CHECK_THRESHOLD = 50
"""From here on a sign-in looks for surplus. Lower than the cap: others may sign in beside it."""


@dataclass(frozen=True, slots=True)
class VerifiedContact:
    """Whoever holds a number that was proven just now: a user, or a new one of this id and name."""

    phone_number: str
    new_user_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to store. `code_requested_at`: when its code was requested, None without one."""

    id: UUID
    client: Client
    amr: tuple[str, ...]
    now: datetime
    expires_at: datetime
    refresh_hash: bytes
    refresh_expires_at: datetime
    event: str
    code_requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """What was stored.

    `known_network`: the user signed in before from the client's network with the same program.
    `has_many_sessions`: there were `MANY_SESSIONS` live ones or more, so that some may have to end.
    """

    user: User
    session: Session
    is_new: bool
    known_network: bool
    has_many_sessions: bool


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A session that was stored.

    `is_new`: the user was made, or activated, with it. `known_network`: as in `Opened`.
    `ended_others`: it ended sessions beyond `MOST_SESSIONS`, which has to be published.
    """

    signed_in: SignedInUser
    is_new: bool
    known_network: bool
    ended_others: bool = False
