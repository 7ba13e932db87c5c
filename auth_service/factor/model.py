"""Second factors, and the proofs of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from auth_service.passkey.model import AuthenticatorState, PasskeyResponse, PasskeyUse
from auth_service.session.model import MFA
from auth_service.user.model import FactorKind

PENDING_LIFE = timedelta(minutes=10)
"""A factor that is not confirmed within this time is removed."""
MAX_TOTP = 3
"""The most authenticators of a user: each one is another code to guess."""
Method = Literal["totp", "passkey", "recovery_code"]
"""How a second factor is proven."""
BY_TOTP: tuple[str, ...] = ("otp", MFA)
"""The methods that a code of an authenticator adds to a session. Source: RFC 8176 §2."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A confirmed second factor.

    `backed_up`: whether the user's other devices can get the passkey; None for an authenticator.
    """

    id: UUID
    kind: FactorKind
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool | None = None


@dataclass(frozen=True, slots=True)
class SealedTotp:
    """An authenticator with its sealed secret, pending or confirmed."""

    id: UUID
    secret: bytes
    last_step: int


@dataclass(frozen=True, slots=True)
class PendingTotp:
    """An authenticator that waits for its first code. `uri` and `qr_svg` hold the secret too."""

    id: UUID
    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A client's proof of a second factor: a code, or a passkey's response."""

    method: Method
    code: str = ""
    response: PasskeyResponse | None = None


@dataclass(frozen=True, slots=True)
class ConfirmedFactor:
    """A factor that was just confirmed. `recovery_codes`: empty except with the first factor."""

    factor: Factor
    recovery_codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class RecoveryCodeUse:
    """A recovery code that may be one of the user's, and the event of its use."""

    user_id: UUID
    hash: bytes
    event_json: str


@dataclass(frozen=True, slots=True)
class TotpUse:
    """A code that is right at the time step of its authenticator; `secret` is sealed anew."""

    factor_id: UUID
    step: int
    secret: bytes


FactorUse = TotpUse | RecoveryCodeUse | PasskeyUse


def passkey_amr(state: AuthenticatorState) -> tuple[str, ...]:
    """Return the methods that a passkey in this state adds to a session."""
    return (*state.amr, MFA)


def amr_of(use: FactorUse) -> tuple[str, ...]:
    """Return the methods that a right proof adds to a session (`amr`)."""
    return passkey_amr(use.state) if isinstance(use, PasskeyUse) else BY_TOTP
