"""Public keys of passkeys: the algorithms that are accepted, and the keys that fit them."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from auth_service.passkey.errors import CredentialInvalid

ES256 = COSEAlgorithmIdentifier.ECDSA_SHA_256
EDDSA = COSEAlgorithmIdentifier.EDDSA
RS256 = COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256
ALGORITHMS = [ES256, EDDSA, RS256]
"""RS256 is for Windows Hello, whose TPM may have nothing else."""
MIN_RSA_BITS, MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS = 2048, 4096, 32
"""A larger modulus or exponent would make each verification slow."""


def require_usable_key(cose_key: bytes) -> None:
    """Refuse a key that its algorithm cannot use; it would be found out at the first sign-in."""
    decoded = decode_credential_public_key(cose_key)
    match decoded_public_key_to_cryptography(decoded):
        case EllipticCurvePublicKey(curve=SECP256R1()):
            is_usable = decoded.alg == ES256
        case Ed25519PublicKey():
            is_usable = decoded.alg == EDDSA
        case RSAPublicKey() as key:
            exponent = key.public_numbers().e
            is_small = exponent.bit_length() <= MAX_RSA_EXPONENT_BITS
            is_strong = MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
            is_usable = decoded.alg == RS256 and is_strong and is_small
        case _:
            is_usable = False
    if not is_usable:
        raise CredentialInvalid(reason=f"public key: not usable with algorithm {decoded.alg}")
