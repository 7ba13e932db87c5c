"""An idempotency key, and the response stored under it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

RETENTION = timedelta(hours=24)


class IdempotencyKey(NamedTuple):
    """A client's key for one request; `lease` identifies the request that holds it."""

    user_id: UUID
    route: str
    key: str
    lease: UUID


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request that creates something: its user, its token, and its Idempotency-Key if any."""

    user_id: UUID
    token: str
    key: str | None

    def idempotency_key(self, route: str, lease: UUID) -> IdempotencyKey | None:
        """Return the key as the request with this lease holds it, None without one."""
        return IdempotencyKey(self.user_id, route, self.key, lease) if self.key else None


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The 201 response to a request: its JSON body and the Location of the new resource."""

    request_hash: bytes
    body: str
    location: str


def hash_request(fields: Mapping[str, object], sha256: bytes | None) -> bytes:
    """Return a digest that two requests share if their fields and their file are the same."""
    values = json.dumps(dict(fields), sort_keys=True, default=str).encode()
    return hashlib.sha256(values + b"\0" + (sha256 or b"")).digest()
