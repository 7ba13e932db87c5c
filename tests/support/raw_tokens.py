"""Tokens of any header and payload, and a verifier that knows the keys that sign them."""

import base64
import json
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from shared.jwks import parse_jwks
from shared.tokens import TokenVerifier
from tests.support.clock import MovableClock
from tests.support.tokens import Mint

ISSUER, AUDIENCE = "https://id.example", "cheershare"
ED25519 = Ed25519PrivateKey.generate()
P256 = generate_private_key(SECP256R1())
MINT = Mint(ED25519, ISSUER, AUDIENCE, kid="ed")
USER = uuid4()
JWKS = {
    "keys": [
        {**OKPAlgorithm.to_jwk(ED25519.public_key(), as_dict=True), "kid": "ed"},
        {**ECAlgorithm.to_jwk(P256.public_key(), as_dict=True), "kid": "ec"},
    ]
}
CLAIMS: dict[str, Any] = jwt.decode(MINT.token(USER), options={"verify_signature": False})


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw_token(header: bytes | dict[str, Any], payload: bytes | dict[str, Any]) -> str:
    """A token with any header and payload, well signed with our own key."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(ED25519.sign(text.encode()))}"


def header(**more: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "typ": "at+jwt", "kid": "ed"} | more


def new_verifier(clock: MovableClock, **options: Any) -> TokenVerifier:
    verifier = TokenVerifier(ISSUER, AUDIENCE, clock, **options)
    verifier.set_keys(parse_jwks(JWKS))
    return verifier
