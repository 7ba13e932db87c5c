"""Authenticator data, reduced to the parts that the library's decoders may read.

The service asks for the attestation `none`. Some authenticators send a statement all the same: a
list of certificates that nothing here relies on, so no parser should meet it.
"""

from webauthn.helpers import encode_cbor

from auth_service.passkey.cbor import BYTES, MAP, TEXT, read_head, read_string, skip_item
from auth_service.passkey.credential_json import MAX_AUTHENTICATOR_DATA
from auth_service.passkey.errors import CredentialInvalid

_FLAGS, _HAS_CREDENTIAL = 32, 0x40
_FIXED_BYTES, _AAGUID_AND_LENGTH_BYTES = 37, 18
"""Source: WebAuthn level 3 §6.1, the layout of authenticator data."""


def without_statement(attestation_object: bytes) -> bytes:
    """Return an attestation object with the same authenticator data and the format `none`.

    Raises:
        CredentialInvalid: it is no CBOR map with one plain `authData` and nothing after it.
    """
    try:
        data = _read_authenticator_data(attestation_object)
    except (IndexError, ValueError):
        raise CredentialInvalid(reason="attestationObject: expected CBOR with authData") from None
    require_plain_cbor(data)
    return encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})


def require_plain_cbor(authenticator_data: bytes) -> None:
    """Refuse authenticator data whose key or extensions are not as authenticators write them.

    Raises:
        CredentialInvalid: they have tags, indefinite lengths, or no end.
    """
    place = _FIXED_BYTES
    try:
        if authenticator_data[_FLAGS] & _HAS_CREDENTIAL:
            place += _AAGUID_AND_LENGTH_BYTES
            place += int.from_bytes(authenticator_data[place - 2 : place])
        while place < len(authenticator_data):
            place = skip_item(authenticator_data, place)
    except (IndexError, ValueError):
        place = -1
    if place != len(authenticator_data):
        raise CredentialInvalid(reason="authenticatorData: expected CBOR without tags")


def _read_authenticator_data(attestation_object: bytes) -> bytes:
    head = read_head(attestation_object, 0)
    if head.major != MAP:
        raise ValueError
    place, found = head.end, []
    for _ in range(head.value):
        name, place = read_string(attestation_object, place, TEXT)
        if name == b"authData":
            data, place = read_string(attestation_object, place, BYTES)
            found.append(data)
        else:
            place = skip_item(attestation_object, place)
    is_whole = place == len(attestation_object) and len(found) == 1
    if not is_whole or len(found[0]) > MAX_AUTHENTICATOR_DATA:
        raise ValueError
    return found[0]
