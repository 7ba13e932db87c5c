"""Public keys: which ones may have signed a token, and the file that names them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may have signed: with its one algorithm, whatever a token says."""

    kid: str
    algorithm: str
    key: Any

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Return whether `signature` is this key's under `text`."""
        return jwt.get_algorithm_by_name(self.algorithm).verify(text, self.key, signature)


def parse_jwks(document: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return the signature keys of a JWK set by `kid`. Source: RFC 7517 §5, RFC 8037.

    Raises:
        ValueError: it is no key set, or a key is of a kind that we do not take.
    """
    try:
        keys = [
            jwt.PyJWK(entry, ALGORITHMS[entry["kty"], entry["crv"]]) for entry in document["keys"]
        ]
        return {
            key.key_id: PublicKey(key.key_id, key.algorithm_name, key.key)
            for key in keys
            if key.key_id
        }
    except (KeyError, TypeError, jwt.PyJWTError) as wrong:
        raise ValueError("not a set of Ed25519 or P-256 keys") from wrong


class JwksFile:
    """The public key set as a mounted file, read when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None

    def read_if_changed(self) -> dict[str, PublicKey] | None:
        """Return the keys when the file is another one than last time, else None.

        Raises:
            ValueError, OSError: it cannot be read, or is no key set; tried again next time.
        """
        stat = self._path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp == self._stamp:
            return None
        keys = parse_jwks(json.loads(self._path.read_bytes()))
        if not keys:
            raise ValueError("a set without a key")
        self._stamp = stamp
        return keys
