"""The revocation message: its form, its size and its signature."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from shared.clock import rfc3339

CHANNEL = "revocations"
LOG = "revocations:log"
HEAD = "revocations:head"
DELETED = "revocations:deleted"
VERSION = 1
MAX_BYTES = 512
ID_BYTES = 40  # room for the id, which Redis assigns
_WITH_ID = re.compile(rb'\{"id":"(\d{1,20}-\d{1,20})",(.+)', re.DOTALL)
Kind = Literal["session", "token", "user"]
KINDS = ("session", "token", "user")


class UnverifiedMessageError(ValueError):
    """A message that none of our keys signed, or that has another form."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One thing that no token may be used for any more.

    `id` is a session's or user's UUID or a token's `jti`. `generation` (users only): tokens with
    a lower `gen` are dead. `expires_at`: when the last token concerned has expired by itself.
    """

    kind: Kind
    id: str
    reason: str
    expires_at: datetime
    generation: int | None = None

    def entry(self) -> dict[str, Any]:
        """Return the revocation as a message carries it."""
        entry: dict[str, Any] = {
            "kind": self.kind,
            "id": self.id,
            "reason": self.reason,
            "expires_at": int(self.expires_at.timestamp()),
        }
        return entry if self.generation is None else entry | {"generation": self.generation}


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _mac(key: bytes, body: dict[str, Any]) -> str:
    return hmac.new(key, _canonical(body), hashlib.sha256).hexdigest()


def encode(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> str:
    """Return the signed message without `id`, which Redis assigns when it is appended."""
    body: dict[str, Any] = {
        "v": VERSION,
        "epoch": epoch,
        "entries": [revocation.entry() for revocation in revocations],
        "at": rfc3339(at),
    }
    text = _canonical(body | {"mac": _mac(keys[0], body)})
    if len(text) > MAX_BYTES - ID_BYTES:
        message = "a revocation message has at most 512 bytes"
        raise ValueError(message)
    return text.decode()


def encode_all(
    revocations: Sequence[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> Iterator[tuple[str, int]]:
    """Yield as few signed messages as the order allows, each with how many it tells."""
    empty = encode([], epoch=epoch, at=at, keys=keys)
    room = MAX_BYTES - ID_BYTES - len(empty.encode())
    together: list[Revocation] = []
    length = 0
    for revocation in revocations:
        needed = len(_canonical(revocation.entry())) + 1  # and a comma
        if together and length + needed > room:
            yield encode(together, epoch=epoch, at=at, keys=keys), len(together)
            together, length = [], 0
        together.append(revocation)
        length += needed
    if together:
        yield encode(together, epoch=epoch, at=at, keys=keys), len(together)


def without_id(text: bytes) -> tuple[bytes | None, bytes]:
    """Return a published message's id and the message as the log holds it; no id when none is."""
    found = _WITH_ID.fullmatch(text)
    return (found[1], b"{" + found[2]) if found else (None, text)


def decode(text: bytes, keys: Sequence[bytes]) -> list[Revocation]:
    """Return the message's revocations; any of `keys` may have signed it.

    Raises:
        UnverifiedMessageError: none has, or the form is another.
    """
    if len(text) > MAX_BYTES:  # a stranger's: unread, because deep nesting would not be survived
        raise UnverifiedMessageError
    try:
        body = json.loads(text)
        body.pop("id", None)
        mac = body.pop("mac").encode()
        signed = [_mac(key, body).encode() for key in keys]
        if not any(hmac.compare_digest(mac, candidate) for candidate in signed):
            raise UnverifiedMessageError
        if body["v"] != VERSION:
            raise UnverifiedMessageError
        return [_revocation(entry) for entry in body["entries"]]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as wrong:
        raise UnverifiedMessageError from wrong


def _revocation(entry: dict[str, Any]) -> Revocation:
    if entry["kind"] not in KINDS:
        raise UnverifiedMessageError
    return Revocation(
        kind=entry["kind"],
        id=str(entry["id"]),
        reason=str(entry["reason"]),
        expires_at=datetime.fromtimestamp(int(entry["expires_at"]), UTC),
        generation=int(entry["generation"]) if entry["kind"] == "user" else None,
    )
