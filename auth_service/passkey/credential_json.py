"""Credentials as browsers and apps send them, decoded into bytes of limited length.

Source: WebAuthn level 3 §5.1.8, RegistrationResponseJSON and AuthenticationResponseJSON.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_service.passkey.errors import CredentialInvalid

MAX_CREDENTIAL_ID = 1023
"""Source: WebAuthn level 3 §7.1, step 25."""
MAX_USER_HANDLE = 64
"""Source: WebAuthn level 3 §5.4.3."""
MAX_CLIENT_DATA = 4096
MAX_AUTHENTICATOR_DATA = 4096
"""A credential id, an RSA key of 4,096 bits, and extensions."""
MAX_ATTESTATION_OBJECT = 24_576
"""Authenticator data beside a statement with a chain of certificates, as TPMs send it."""
MAX_SIGNATURE = 512
TRANSPORTS = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})
"""Source: WebAuthn level 3 §5.8.4, and `cable` of level 2."""
_STANDARD_ALPHABET = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """The answer to `navigator.credentials.create()`, not yet verified."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthenticationResponse:
    """The answer to `navigator.credentials.get()`, not yet verified.

    `user_handle`: the id of the user for which the authenticator made the passkey.
    """

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def parse_registration(credential: object) -> RegistrationResponse:
    """Return the parts of a new credential; members that are not needed may hold anything.

    Raises:
        CredentialInvalid: a part is missing, malformed or too long.
    """
    credential_id, response = _parse_credential(credential)
    listed = response.get("transports")
    known = {one for one in listed if isinstance(one, str)} if isinstance(listed, list) else set()
    return RegistrationResponse(
        credential_id,
        _decode(response, "clientDataJSON", MAX_CLIENT_DATA),
        _decode(response, "attestationObject", MAX_ATTESTATION_OBJECT),
        tuple(sorted(known & TRANSPORTS)),
    )


def parse_authentication(credential: object) -> AuthenticationResponse:
    """Return the parts of an assertion, by whose `credential_id` the passkey is found.

    Raises:
        CredentialInvalid: a part is missing, malformed or too long.
    """
    credential_id, response = _parse_credential(credential)
    # Safari sends empty text where the authenticator returned no user handle.
    has_user_handle = response.get("userHandle") not in (None, "")
    return AuthenticationResponse(
        credential_id,
        _decode(response, "clientDataJSON", MAX_CLIENT_DATA),
        _decode(response, "authenticatorData", MAX_AUTHENTICATOR_DATA),
        _decode(response, "signature", MAX_SIGNATURE),
        _decode(response, "userHandle", MAX_USER_HANDLE) if has_user_handle else None,
    )


def _parse_credential(credential: object) -> tuple[bytes, Mapping[str, Any]]:
    """Return the id of a credential, and its `response`."""
    if not isinstance(credential, dict) or credential.get("type") != "public-key":
        raise CredentialInvalid(reason="not an object with the type public-key")
    response = credential.get("response")
    if not isinstance(response, dict):
        raise CredentialInvalid(reason="response: expected an object")
    credential_id = _decode(credential, "id", MAX_CREDENTIAL_ID)
    if credential_id != _decode(credential, "rawId", MAX_CREDENTIAL_ID):
        raise CredentialInvalid(reason="id and rawId differ")
    return credential_id, response


def _decode(members: Mapping[str, Any], name: str, max_bytes: int) -> bytes:
    """Return the bytes of a member in base64url.

    Apps pad it, or use the other alphabet of base64, where they encode it themselves.
    """
    text = members.get(name)
    expected = CredentialInvalid(reason=f"{name}: expected 1 to {max_bytes} bytes in base64url")
    if not isinstance(text, str) or len(text) > (max_bytes + 2) // 3 * 4:
        raise expected
    bare = text.rstrip("=").translate(_STANDARD_ALPHABET)
    try:
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise expected from None
    if not 0 < len(data) <= max_bytes:
        raise expected
    return data
