"""A relying party, and whole ceremonies between it and a software authenticator."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from auth_service.passkey.credential_json import parse_authentication
from auth_service.passkey.model import AuthenticatorState, NewPasskey, Passkey
from auth_service.passkey.relying_party import RelyingParty
from auth_service.user.model import User
from tests.support.software_authenticator import SoftwareAuthenticator

PAGE, OTHER_PAGE = "https://app.shop.example", "https://shop.example:8443"
APP = "android:apk-key-hash:NztP-sfNqy2_XIe4erm4qR-w4eRJ2Dl6JduFbPCYHik"
SHOP = RelyingParty("shop.example", "Shop", (PAGE, OTHER_PAGE, APP))
USER_ID, OTHER_USER_ID = UUID(int=1), UUID(int=2)


def a_user(**changes: Any) -> User:
    user = User(
        id=USER_ID,
        username=None,
        name="Asha Rao",
        first_name="Asha",
        last_name="Rao",
        email="asha@shop.example",
        email_verified=True,
        phone_number=None,
        phone_verified=False,
        roles=(),
        status="active",
        generation=0,
        last_login_at=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        version=1,
    )
    return replace(user, **changes)


def an_authenticator(**changes: Any) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(**({"origin": PAGE} | changes))


def created(
    authenticator: SoftwareAuthenticator, challenge: bytes, /, **forged: Any
) -> dict[str, Any]:
    """Return the credential that the authenticator makes for a challenge."""
    return authenticator.create(SHOP.registration_options(a_user(), challenge, ()), **forged)


def register(authenticator: SoftwareAuthenticator, **forged: Any) -> NewPasskey:
    challenge = secrets.token_bytes(32)
    return SHOP.verify_registration(created(authenticator, challenge, **forged), challenge)


def registered(authenticator: SoftwareAuthenticator, **changes: Any) -> Passkey:
    """Return the passkey as it is stored after its registration."""
    new = register(authenticator)
    passkey = Passkey(new.credential_id, USER_ID, new.public_key, new.state.sign_count)
    return replace(passkey, **changes)


def verify(
    credential: object,
    challenge: bytes,
    passkey: Passkey,
    identified: UUID | None = None,
    party: RelyingParty = SHOP,
) -> AuthenticatorState:
    response = parse_authentication(credential)
    return party.verify_authentication(response, challenge, passkey, identified=identified)


def authenticate(
    authenticator: SoftwareAuthenticator,
    passkey: Passkey,
    identified: UUID | None = None,
    **forged: Any,
) -> AuthenticatorState:
    """Sign in by the passkey alone, or as second factor of the `identified` user."""
    challenge = secrets.token_bytes(32)
    options = SHOP.authentication_options(challenge, [passkey] if identified else [])
    return verify(authenticator.get(options, **forged), challenge, passkey, identified)
