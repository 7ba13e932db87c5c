"""The revocation message: its form, its size and its signature."""

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from shared.clock import rfc3339

CHANNEL = "revocations"
LOG = "revocations:log"
HEAD = "revocations:head"
DELETED = "revocations:deleted"
USER_DELETED = "user_deleted"
"""The reason that also goes to `DELETED`: what the user had is to be removed."""

VERSION = 1
MAX_BYTES = 512
ID_BYTES = 40  # room for the id, which Redis assigns
_SENT = re.compile(rb'\{(?:"id":"[\d-]{1,40}",)?"mac":"([\da-f]{64})",(.+)', re.DOTALL)
_WITH_ID = re.compile(rb'\{"id":"(\d{1,20}-\d{1,20})",(.+)', re.DOTALL)
Kind = Literal["session", "token", "user"]
KINDS = ("session", "token", "user")


class UnverifiedMessageError(ValueError):
    """A message that none of our keys signed, or that has another form."""


class Revocation(NamedTuple):
    """One thing that no token may be used for any more.

    `id` is a session's or user's UUID or a token's `jti`. `generation` (users only): tokens with
    a lower `gen` are dead. `expires_at`: when the last token concerned has expired by itself.
    """

    kind: Kind
    id: str
    reason: str
    expires_at: datetime
    generation: int | None = None

    def entry(self) -> str:
        """Return the revocation as a message carries it: canonical, for a tenth of `_canonical`."""
        raised = "" if self.generation is None else f'"generation":{self.generation},'
        return (
            f'{{"expires_at":{int(self.expires_at.timestamp())},{raised}"id":{_quoted(self.id)},'
            f'"kind":{_quoted(self.kind)},"reason":{_quoted(self.reason)}}}'
        )


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_quoted = json.encoder.encode_basestring


def _mac(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, "sha256").hex()


def _signed(entries: Iterable[str], around: tuple[str, str], key: bytes) -> str:
    """Return a message made of texts that are canonical already."""
    text = ",".join(entries).join(around)
    message = f'{{"mac":"{_mac(key, text.encode())}",{text[1:]}'
    if len(message.encode()) > MAX_BYTES - ID_BYTES:
        too_long = "a revocation message has at most 512 bytes"
        raise ValueError(too_long)
    return message


def _around_entries(epoch: str, at: datetime) -> tuple[str, str]:
    """Return what stands before and after the entries in the canonical text."""
    body = {"v": VERSION, "epoch": epoch, "entries": [], "at": rfc3339(at)}
    before, _, after = _canonical(body).partition("[]")
    return f"{before}[", f"]{after}"


def encode(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> str:
    """Return the signed message without `id`, which Redis assigns when it is appended.

    Raises:
        ValueError: it would have more than 512 bytes.
    """
    entries = (revocation.entry() for revocation in revocations)
    return _signed(entries, _around_entries(epoch, at), keys[0])


def encode_all(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> Iterator[tuple[str, int]]:
    """Yield as few signed messages as the order allows, each with how many it tells."""
    around = _around_entries(epoch, at)
    room = MAX_BYTES - ID_BYTES - len(_signed([], around, keys[0]).encode())
    together: list[str] = []
    length = 0
    for revocation in revocations:
        entry = revocation.entry()
        needed = len(entry.encode()) + 1  # and a comma
        if together and length + needed > room:
            yield _signed(together, around, keys[0]), len(together)
            together, length = [], 0
        together.append(entry)
        length += needed
    if together:
        yield _signed(together, around, keys[0]), len(together)


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
        body = _verified(text, keys)
        if body["v"] != VERSION:
            raise UnverifiedMessageError
        return [_revocation(entry) for entry in body["entries"]]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as wrong:
        raise UnverifiedMessageError from wrong


def _verified(text: bytes, keys: Sequence[bytes]) -> dict[str, Any]:
    """Return the body; to encode what is canonical already once more would take twice as long."""
    if (sent := _SENT.fullmatch(text)) and _is_signed(sent[1], b"{" + sent[2], keys):
        return dict(json.loads(b"{" + sent[2]))
    body: dict[str, Any] = json.loads(text)
    body.pop("id", None)
    mac = body.pop("mac").encode()
    if not _is_signed(mac, _canonical(body).encode(), keys):
        raise UnverifiedMessageError
    return body


def _is_signed(mac: bytes, text: bytes, keys: Sequence[bytes]) -> bool:
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
