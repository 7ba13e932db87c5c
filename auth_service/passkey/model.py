"""Passkeys as they are stored, and what a verified response says."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Passkey:
    """A registered passkey: what options and verification need of it.

    `public_key` is a COSE key. `transports`: how browsers reach the authenticator.
    """

    credential_id: bytes
    user_id: UUID
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticatorState:
    """What an authenticator says of itself in one response; the caller stores it.

    `user_verified`: it checked a PIN, a finger or a face. `backup_eligible`: other devices may get
    the passkey. `backed_up`: they can get it now.
    """

    sign_count: int
    user_verified: bool
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A verified registration, to be stored unless the credential id is known already."""

    credential_id: bytes
    public_key: bytes
    transports: tuple[str, ...]
    state: AuthenticatorState
