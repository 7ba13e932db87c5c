"""The revocation message: its format, its size limit and its signature."""

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from shared.clock import rfc3339

REVOCATION_CHANNEL = "revocations"
REVOCATION_STREAM = "revocations:log"
REVOCATION_HEAD = "revocations:head"
DELETED_USERS_STREAM = "revocations:deleted"
USER_DELETED = "user_deleted"
"""Such revocations also go to `DELETED_USERS_STREAM`: services remove what the user owned."""

VERSION = 1
MAX_BYTES = 512
ID_BYTES = 40  # reserved for the id, which Redis assigns
_SIGNED = re.compile(rb'\{(?:"id":"[\d-]{1,40}",)?"mac":"([\da-f]{64})",(.+)', re.DOTALL)
_WITH_ID = re.compile(rb'\{"id":"(\d{1,20}-\d{1,20})",(.+)', re.DOTALL)
Kind = Literal["session", "token", "user"]
KINDS = ("session", "token", "user")


class UnverifiedMessageError(ValueError):
    """A message that none of our keys signed, or that has another format."""


class Revocation(NamedTuple):
    """A revoked session, token or user.

    `id`: a session's or user's UUID, or a token's `jti`. `generation` (users only): tokens with a
    lower `gen` are revoked. `expires_at`: when the last affected token expires.
    """

    kind: Kind
    id: str
    reason: str
    expires_at: datetime
    generation: int | None = None

    def to_json(self) -> str:
        """Return the message's entry as canonical JSON, ten times as fast as `_canonical`."""
        generation = "" if self.generation is None else f'"generation":{self.generation},'
        return (
            f'{{"expires_at":{int(self.expires_at.timestamp())},{generation}"id":{_quoted(self.id)},'
            f'"kind":{_quoted(self.kind)},"reason":{_quoted(self.reason)}}}'
        )


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_quoted = json.encoder.encode_basestring


def _mac(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, "sha256").hex()


def _with_mac(text: str, key: bytes) -> str:
    return f'{{"mac":"{_mac(key, text.encode())}",{text[1:]}'


def _signed_message(entries: Iterable[str], envelope: tuple[str, str], key: bytes) -> str:
    """Return the signed message with entries that are canonical JSON already."""
    message = _with_mac(",".join(entries).join(envelope), key)
    if len(message.encode()) > MAX_BYTES - ID_BYTES:
        raise ValueError("a revocation message has at most 512 bytes")
    return message


def _envelope(epoch: str, at: datetime) -> tuple[str, str]:
    """Return the canonical JSON before and after the entries."""
    body = {"v": VERSION, "epoch": epoch, "entries": [], "at": rfc3339(at)}
    before, _, after = _canonical(body).partition("[]")
    return f"{before}[", f"]{after}"


def encode_batches(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> Iterator[tuple[str, int]]:
    """Yield as few signed messages as the order allows, each with its number of entries.

    Redis assigns a message's `id` when it is appended.

    Raises:
        ValueError: one entry alone would exceed the 512 bytes of a message.
    """
    envelope = _envelope(epoch, at)
    room = MAX_BYTES - ID_BYTES - len(_signed_message([], envelope, keys[0]).encode())
    batch: list[str] = []
    length = 0
    for revocation in revocations:
        entry = revocation.to_json()
        needed = len(entry.encode()) + 1  # and a comma
        if batch and length + needed > room:
            yield _signed_message(batch, envelope, keys[0]), len(batch)
            batch, length = [], 0
        batch.append(entry)
        length += needed
    if batch:
        yield _signed_message(batch, envelope, keys[0]), len(batch)


def split_id(text: bytes) -> tuple[bytes | None, bytes]:
    """Return a published message's id, if it has one, and the message as the stream holds it."""
    found = _WITH_ID.fullmatch(text)
    return (found[1], b"{" + found[2]) if found else (None, text)


class RevocationMessage(NamedTuple):
    """What a message says. `epoch`: that of the stream which it was appended to."""

    epoch: str
    revocations: list[Revocation]


def decode(text: bytes, keys: Sequence[bytes]) -> RevocationMessage:
    """Return what the message says; any of `keys` may have signed it.

    Raises:
        UnverifiedMessageError: none has, or the format is another.
    """
    if len(text) > MAX_BYTES:  # not ours; parsing deeply nested JSON could overflow the stack
        raise UnverifiedMessageError
    try:
        body = verify(text, keys)
        if body["v"] != VERSION:
            raise UnverifiedMessageError
        return RevocationMessage(str(body["epoch"]), [_revocation(one) for one in body["entries"]])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UnverifiedMessageError from error


def sign(body: dict[str, Any], key: bytes) -> str:
    """Return the body as JSON with its `mac`."""
    return _with_mac(_canonical(body), key)


def verify(text: bytes, keys: Sequence[bytes]) -> dict[str, Any]:
    """Return the body that one of `keys` signed, without `mac`.

    Text that is canonical already is not encoded again, which saves half.

    Raises:
        ValueError, KeyError, AttributeError: it is not signed, or no object.
    """
    if (signed := _SIGNED.fullmatch(text)) and is_signed(signed[1], b"{" + signed[2], keys):
        return dict(json.loads(b"{" + signed[2]))
    body: dict[str, Any] = json.loads(text)
    body.pop("id", None)
    mac = body.pop("mac").encode()
    if not is_signed(mac, _canonical(body).encode(), keys):
        raise UnverifiedMessageError
    return body


def is_signed(mac: bytes, text: bytes, keys: Sequence[bytes]) -> bool:
    """Return whether one of the keys signed the text."""
    return any(hmac.compare_digest(mac, _mac(key, text).encode()) for key in keys)


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
