"""Passkeys: a key that its algorithm cannot use, or that is slow to use, is not registered."""

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key

from auth_service.passkey.errors import CredentialInvalid
from tests.support.passkeys import an_authenticator, register
from tests.support.software_authenticator import EDDSA, ES256, RS256, cose_key, new_key

EC_KEY, P384_KEY = new_key(ES256), generate_private_key(SECP384R1())
EC, OKP = cose_key(EC_KEY, ES256), cose_key(new_key(EDDSA), EDDSA)
MODULUS = int.from_bytes(cose_key(new_key(RS256), RS256)[-1])
P384 = {
    1: 2,
    3: ES256,
    -1: 2,
    -2: P384_KEY.public_key().public_numbers().x.to_bytes(48),
    -3: P384_KEY.public_key().public_numbers().y.to_bytes(48),
}


def rsa_key(bits: int, exponent: int = 65537, *, algorithm: int = RS256) -> dict[int, Any]:
    """Return a COSE key; one with an unusual size or exponent has no private key."""
    modulus = MODULUS | 1 << (bits - 1)
    length = (exponent.bit_length() + 7) // 8
    return {1: 3, 3: algorithm, -1: modulus.to_bytes(bits // 8), -2: exponent.to_bytes(length)}


KEYS: dict[str, object] = {
    "ES384": EC | {3: -35},
    "ES256K": EC | {3: -47},
    "no algorithm": {name: value for name, value in EC.items() if name != 3},
    "algorithm as text": EC | {3: "ES256"},
    "ECDSA with the number of RS256": EC | {3: RS256},
    "ECDSA with the number of EdDSA": EC | {3: EDDSA},
    "EdDSA with the number of ES256": OKP | {3: ES256},
    "ES256 on P-384": P384,
    "point off the curve": EC | {-3: bytes(31) + b"\1"},
    "short point": EC | {-2: b"\1"},
    "point as number": EC | {-2: 1},
    "Ed25519 key of 31 bytes": OKP | {-2: bytes(31)},
    "HMAC key": {1: 4, 3: 5, -1: bytes(32)},
    "RSA with the number of ES256": rsa_key(2048, algorithm=ES256),
    "RSA with the number of PS256": rsa_key(2048, algorithm=-37),
    "RSA with SHA-1": rsa_key(2048, algorithm=-65535),
    "RSA of 1024 bits": rsa_key(2048) | {-1: (MODULUS >> 1024 | 1).to_bytes(128)},
    "RSA of 8192 bits": rsa_key(8192),
    "RSA with a huge exponent": rsa_key(2048, (1 << 2000) + 1),
    "RSA with exponent 1": rsa_key(2048, 1),
    "empty map": {},
    "list": [],
    "null": None,
    "unknown tag": cbor2.CBORTag(4711, EC),
}


def refuse_key(encoded: bytes) -> None:
    with pytest.raises(CredentialInvalid):
        register(an_authenticator(), key=encoded)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_registration_unusable_key_is_refused(key: object) -> None:
    refuse_key(cbor2.dumps(key))


def test_registration_duplicate_key_member_is_refused() -> None:
    encoded = cbor2.dumps(EC)
    refuse_key(bytes([encoded[0] + 1]) + encoded[1:] + cbor2.dumps(3) + b"\x26")


@pytest.mark.parametrize(
    "key", [b"", b"\x04" + bytes(64), b"\xa5", b"\xff", b"\x81" * 2000, b"\x9f" * 2000]
)
def test_registration_malformed_key_is_refused(key: bytes) -> None:
    refuse_key(key)


def test_registration_trailing_bytes_are_refused() -> None:
    refuse_key(cbor2.dumps(EC) + b"\0")
