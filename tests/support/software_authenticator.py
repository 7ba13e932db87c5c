"""An authenticator and its browser in software: honest, or wrong in whatever a test names."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
ES256, EDDSA, RS256 = -7, -8, -257


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key(algorithm: int) -> Any:
    if algorithm == EDDSA:
        return Ed25519PrivateKey.generate()
    return generate_rsa(65537, 2048) if algorithm == RS256 else generate_private_key(SECP256R1())


def cose_key(key: Any, algorithm: int) -> dict[int, Any]:
    """Return the public part of a key. Source: RFC 9053 §7, RFC 8230 §4."""
    public = key.public_key()
    if algorithm == EDDSA:
        return {1: 1, 3: algorithm, -1: 6, -2: public.public_bytes_raw()}
    numbers = public.public_numbers()
    if algorithm == RS256:
        modulus = numbers.n.to_bytes(public.key_size // 8)
        return {1: 3, 3: algorithm, -1: modulus, -2: numbers.e.to_bytes(3)}
    return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}


@dataclass
class SoftwareAuthenticator:
    """One credential. `forged` names what is not as it should be: see `_client_data`, `_data`."""

    origin: str
    algorithm: int = ES256
    flags: int = UP | UV
    sign_count: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes | None = None
    key: Any = None

    def __post_init__(self) -> None:
        self.key = self.key or new_key(self.algorithm)

    def create(self, options: dict[str, Any], **forged: Any) -> dict[str, Any]:
        """Answer registration options, as `PublicKeyCredential.toJSON()` does."""
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        attested = (
            forged.get("aaguid", bytes(16))
            + len(self.credential_id).to_bytes(2)
            + self.credential_id
            + forged.get("key", cbor2.dumps(cose_key(self.key, self.algorithm)))
        )
        data = self._data(options["rp"]["id"], self.flags | AT, attested, forged)
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options, forged),
            attestationObject=cbor2.dumps(statement | forged.get("attestation", {})),
        )

    def get(self, options: dict[str, Any], **forged: Any) -> dict[str, Any]:
        """Answer authentication options likewise."""
        data = self._data(options["rpId"], self.flags, b"", forged)
        client_data = self._client_data("webauthn.get", options, forged)
        signature = self._sign(data + hashlib.sha256(client_data).digest())
        return self._credential(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=forged.get("signature", signature),
            userHandle=forged.get("user_handle", self.user_handle),
        )

    def _client_data(self, kind: str, options: dict[str, Any], forged: dict[str, Any]) -> bytes:
        members = {
            "type": forged.get("type", kind),
            "challenge": forged.get("challenge", options["challenge"]),
            "origin": forged.get("origin", self.origin),
            "crossOrigin": False,
        }
        text = json.dumps(members | forged.get("client_data", {}))
        return forged.get("client_data_text", text.encode())  # type: ignore[no-any-return]

    def _data(self, rp_id: str, flags: int, attested: bytes, forged: dict[str, Any]) -> bytes:
        rp_id_hash = hashlib.sha256(forged.get("rp_id", rp_id).encode()).digest()
        extensions = cbor2.dumps(forged["extensions"]) if "extensions" in forged else b""
        flags = forged.get("flags", flags) | (ED if extensions else 0)
        count = forged.get("sign_count", self.sign_count)
        return rp_id_hash + bytes([flags]) + count.to_bytes(4) + attested + extensions  # type: ignore[no-any-return]

    def _sign(self, message: bytes) -> Any:
        if self.algorithm == EDDSA:
            return self.key.sign(message)
        if self.algorithm == RS256:
            return self.key.sign(message, PKCS1v15(), SHA256())
        return self.key.sign(message, ECDSA(SHA256()))

    def _credential(self, **response: bytes | None) -> dict[str, Any]:
        encoded = {name: None if data is None else b64url(data) for name, data in response.items()}
        name = b64url(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": encoded}
