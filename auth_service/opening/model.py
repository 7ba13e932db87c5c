"""Who a session is for, and what is stored of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.client import Client
from auth_service.session.model import Session, SignedIn
from auth_service.user.model import User


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a number that was proven just now: a user, or a new one of this id and name."""

    phone_number: str
    new_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is to be stored when somebody signs in."""

    id: UUID
    client: Client
    amr: tuple[str, ...]
    now: datetime
    ends: datetime
    refresh_hash: bytes
    refresh_ends: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was stored.

    `known_network`: the user signed in before from the client's network with the same program.
    """

    user: User
    session: Session
    is_new: bool
    known_network: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that was stored.

    `is_new`: the user was made, or activated, with it. `known_network`: as in `Opened`.
    """

    signed_in: SignedIn
    is_new: bool
    known_network: bool
