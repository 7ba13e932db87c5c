"""A key, who uses it, and what its first request was answered."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One request under a key; `lease` tells it from any other under the same one."""

    user_id: UUID
    route: str
    key: str
    lease: UUID


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The 201 that a request was answered: its JSON text and where the new thing is."""

    fingerprint: bytes
    body: str
    location: str


def fingerprint(fields: Mapping[str, object], sha256: bytes | None) -> bytes:
    """Return what two requests share when they have the same fields and the same file."""
    values = json.dumps(dict(fields), sort_keys=True, default=str).encode()
    return hashlib.sha256(values + b"\0" + (sha256 or b"")).digest()
