"""The private keys: one JWK file each, in a directory that auth_service alone can read."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

Algorithm = Literal["EdDSA", "ES256"]
PUBLISHED_BEFORE_USE = timedelta(minutes=10)
PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "kid", "use", "alg")
_THUMBPRINT = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y")}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair: published at once, signing from `signs_from` on."""

    kid: str
    algorithm: str
    private: Any
    public_jwk: dict[str, str]
    signs_from: datetime
    path: Path


@dataclass(frozen=True, slots=True)
class KeyStore:
    """A directory of private JWKs (mode 600), named by their thumbprint (RFC 7638)."""

    folder: Path

    def load(self) -> list[SigningKey]:
        """Return all keys, the first to sign first.

        Raises:
            ValueError, OSError: a file is no key, or cannot be read.
        """
        keys = [_load_key(path) for path in self.folder.glob("*.jwk")]
        return sorted(keys, key=lambda key: (key.signs_from, key.kid))

    def modified_at(self) -> int:
        """Return a number that changes when a key is added or removed."""
        return self.folder.stat().st_mtime_ns

    def create(self, algorithm: Algorithm, signs_from: datetime) -> SigningKey:
        """Generate a key and store it atomically."""
        jwk = _generate_jwk(algorithm)
        members = {name: jwk[name] for name in _THUMBPRINT[jwk["kty"]]}
        canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(canonical).digest()
        jwk |= {
            "kid": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "use": "sig",
            "alg": algorithm,
            "signs_from": int(signs_from.timestamp()),
        }
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{jwk['kid']}.jwk"
        write_atomically(path, json.dumps(jwk), mode=0o600)
        return _load_key(path)

    def drop_retired(self, now: datetime, token_life: timedelta) -> list[SigningKey]:
        """Remove the keys whose last token has expired; return them."""
        keys = self.load()
        retired = [
            key for key, successor in pairwise(keys) if successor.signs_from + token_life <= now
        ]
        for key in retired:
            key.path.unlink()
        return retired


def select_signing_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """Return the key that signs now: the newest active one."""
    usable = [key for key in keys if key.signs_from <= now]
    return usable[-1] if usable else None


def to_jwks(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """Return the public halves as a JWK set (RFC 7517 §5)."""
    return {"keys": [key.public_jwk for key in keys]}


def write_atomically(path: Path, text: str, mode: int) -> None:
    """Write a file atomically, with the permissions of `mode` from the start."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _generate_jwk(algorithm: Algorithm) -> dict[str, Any]:
    if algorithm == "EdDSA":
        return OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    return ECAlgorithm.to_jwk(generate_private_key(SECP256R1()), as_dict=True)


def _load_key(path: Path) -> SigningKey:
    jwk = json.loads(path.read_bytes())
    return SigningKey(
        kid=jwk["kid"],
        algorithm=jwk["alg"],
        private=PyJWK(jwk).key,
        public_jwk={name: jwk[name] for name in PUBLIC_MEMBERS if name in jwk},
        signs_from=datetime.fromtimestamp(jwk["signs_from"], UTC),
        path=path,
    )
