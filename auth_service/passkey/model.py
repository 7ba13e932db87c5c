"""Passkeys as they are stored, and the options, responses and uses of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MAX_PASSKEYS = 20
"""Of one user."""


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
    """The state of an authenticator in one response; the caller stores it.

    `user_verified`: it checked a PIN, a finger or a face. `backup_eligible`: other devices may get
    the passkey. `backed_up`: they can get it now.
    """

    sign_count: int
    user_verified: bool
    backup_eligible: bool
    backed_up: bool

    @property
    def amr(self) -> tuple[str, ...]:
        """The methods by which it authenticated its user. Source: RFC 8176 §2.

        A passkey that other devices may get is a key in software; each response shows presence.
        """
        return ("swk" if self.backup_eligible else "hwk", "user")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A verified registration, to be stored unless the credential id is known already."""

    credential_id: bytes
    public_key: bytes
    transports: tuple[str, ...]
    state: AuthenticatorState


@dataclass(frozen=True, slots=True)
class PasskeyOptions:
    """Options for a browser or a mobile platform; `public_key` is WebAuthn's JSON form.

    `challenge` is the one inside, which the client sends back beside the credential.
    """

    challenge: str
    public_key: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PasskeyResponse:
    """A client's response: the challenge of the options, and the credential in JSON form."""

    challenge: str
    credential: object


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """A verified response of a user's passkey, whose state is to be stored."""

    credential_id: bytes
    user_id: UUID
    state: AuthenticatorState
