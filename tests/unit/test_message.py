"""The revocation message: round trip, signature, size, and what it does with strangers' texts."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.revocation.message import (
    MAX_BYTES,
    Revocation,
    UnverifiedMessageError,
    decode,
    encode_batches,
)
from tests.support.revocation_messages import encode

KEY, OTHER = b"k" * 32, b"o" * 32
AT = datetime(2027, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
END = datetime(2027, 3, 1, 12, 11, tzinfo=UTC)
SESSION = Revocation("session", "0190c8a0-0000-7000-8000-000000000001", "logout", END)
USER = Revocation("user", "0190c8a0-0000-7000-8000-000000000002", "user_disabled", END, 7)
MOMENTS = st.integers(0, 4_102_444_800).map(lambda s: datetime.fromtimestamp(s, UTC))
IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=36)
REASONS = st.sampled_from(["logout", "logout_all", "refresh_reused", "user_deleted"])
REVOCATIONS = st.one_of(
    st.builds(Revocation, st.sampled_from(["session", "token"]), IDS, REASONS, MOMENTS, st.none()),
    st.builds(Revocation, st.just("user"), IDS, REASONS, MOMENTS, st.integers(0, 2**31)),
)


def signed(body: dict[str, Any], key: bytes = KEY) -> bytes:
    """Any body, signed as revocation.md says: sorted, no spaces, without `id` and `mac`."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(
        body | {"mac": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}
    ).encode()


def body(**changes: Any) -> dict[str, Any]:
    entry = {"kind": "session", "id": "s", "reason": "logout", "expires_at": 1_800_000_000}
    return {"v": 1, "epoch": "e", "at": "2027-03-01T12:00:00Z", "entries": [entry | changes]}


def test_message_has_the_documented_format() -> None:
    message = json.loads(encode([USER], epoch="e1", at=AT, keys=[KEY]))
    mac = message.pop("mac")
    assert message == {
        "v": 1,
        "epoch": "e1",
        "at": "2027-03-01T12:00:00.250000Z",
        "entries": [
            {
                "kind": "user",
                "id": USER.id,
                "generation": 7,
                "reason": "user_disabled",
                "expires_at": int(END.timestamp()),
            }
        ],
    }
    assert mac == json.loads(signed(message))["mac"]


@given(REVOCATIONS)
def test_encoded_message_is_decoded(revocation: Revocation) -> None:
    text = encode([revocation], epoch="e", at=AT, keys=[KEY])
    assert decode(text.encode(), [KEY]).revocations == [revocation]


@given(REVOCATIONS, st.sampled_from([{}, {"id": "1-0"}]))
def test_message_in_another_key_order_is_verified(
    revocation: Revocation, more: dict[str, str]
) -> None:
    body = json.loads(encode([revocation], epoch="e", at=AT, keys=[KEY]))
    turned = dict(reversed(list((body | more).items())))
    text = json.dumps(turned, ensure_ascii=False).encode()
    assert decode(text, [KEY]).revocations == [revocation]


def test_three_sessions_fit_in_a_message() -> None:
    """Each message costs every cache a signature."""
    made = encode_batches([SESSION] * 6, epoch="0" * 16, at=AT, keys=[KEY])
    assert [count for _, count in made] == [3, 3]


def test_encode_batches_fills_messages() -> None:
    text = encode([SESSION, USER], epoch="e", at=AT, keys=[KEY])
    assert decode(text.encode(), [KEY]).revocations == [SESSION, USER]


def test_message_id_is_not_signed() -> None:
    text = encode([SESSION], epoch="e", at=AT, keys=[KEY])
    assert decode(('{"id":"1-0",' + text[1:]).encode(), [KEY]).revocations == [SESSION]


def test_first_key_signs_and_any_key_verifies() -> None:
    text = encode([SESSION], epoch="e", at=AT, keys=[KEY, OTHER]).encode()
    assert decode(text, [KEY]).revocations == [SESSION]
    assert decode(text, [OTHER, KEY]).revocations == [SESSION]
    with pytest.raises(UnverifiedMessageError):
        decode(text, [OTHER])
    with pytest.raises(UnverifiedMessageError):
        decode(text, [])


@given(st.lists(REVOCATIONS, max_size=6))
def test_encode_batches_message_over_512_bytes_is_refused(
    revocations: list[Revocation],
) -> None:
    try:
        batches = list(encode_batches(revocations, epoch="0" * 32, at=AT, keys=[KEY]))
    except ValueError as refused:
        assert "512" in str(refused)  # noqa: PT017 - both outcomes are right, each in its way
        return
    longest_id = f'"id":"{2**48}-{2**20}",'
    assert all(len(text.encode()) + len(longest_id) <= MAX_BYTES for text, _ in batches)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_altered_byte_is_unverified(place: int, change: int) -> None:
    text = bytearray(encode([USER], epoch="e", at=AT, keys=[KEY]).encode())
    text[place % len(text)] ^= change
    with pytest.raises(UnverifiedMessageError):
        decode(bytes(text), [KEY])


@pytest.mark.parametrize("field", ["v", "epoch", "entries", "at"])
def test_field_of_another_message_is_unverified(field: str) -> None:
    ours = json.loads(encode([SESSION], epoch="e", at=AT, keys=[KEY]))
    other = json.loads(encode([USER], epoch="f", at=END, keys=[KEY])) | {"v": 2}
    with pytest.raises(UnverifiedMessageError):
        decode(json.dumps(ours | {field: other[field]}).encode(), [KEY])


def test_valid_body_is_verified() -> None:
    assert decode(signed(body()), [KEY]).revocations[0].id == "s"


@pytest.mark.parametrize(
    "strange",
    [
        body() | {"v": 2},
        body() | {"entries": None},
        body() | {"entries": {"a": 1}},
        body() | {"entries": ["x"]},
        body(kind="planet"),
        body(kind=None),
        body(kind=["session"]),
        body(kind="user"),  # without a generation
        body(kind="user", generation="many"),
        body(expires_at="soon"),
        body(expires_at=None),
        body(expires_at=10**14),
        body(expires_at=10**30),
        body(expires_at=float("inf")),
        body(expires_at=float("nan")),
        {"v": 1},
        {},
    ],
)
def test_signed_message_of_another_format_is_unverified(strange: dict[str, Any]) -> None:
    with pytest.raises(UnverifiedMessageError):
        decode(signed(strange), [KEY])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"mac": null}',
        b'{"mac": 5}',
        b'{"mac": "\\ud800"}',
        b'{"mac": "x", "v": "\\ud800"}',
        b'{"mac": "\xc3\xbf"}',
        b"[" * 100_000,
        b'{"mac":"x","v":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"mac":"x","v":' + b"9" * 5000 + b"}",
        signed(body() | {"padding": "x" * MAX_BYTES}),
    ],
    ids=lambda text: text[:20].hex(),
)
def test_unsigned_text_is_unverified(text: bytes) -> None:
    with pytest.raises(UnverifiedMessageError):
        decode(text, [KEY])


@given(st.binary(max_size=600))
def test_random_bytes_are_unverified(text: bytes) -> None:
    with pytest.raises(UnverifiedMessageError):
        decode(text, [KEY])
