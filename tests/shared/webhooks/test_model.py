"""The body of a message."""

import json
from datetime import UTC, datetime

import pytest

from shared.webhooks.model import MAX_BODY_BYTES, encode_body

NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)


def test_body_holds_type_timestamp_and_data() -> None:
    body = encode_body("creative.due", NOON, {"caption": "Käse 🧀"})
    assert json.loads(body) == {
        "type": "creative.due",
        "timestamp": "2026-12-24T12:00:00Z",
        "data": {"caption": "Käse 🧀"},
    }


def test_body_of_20000_bytes_is_refused() -> None:
    empty = len(encode_body("x", NOON, {"text": ""}))
    assert len(encode_body("x", NOON, {"text": "a" * (MAX_BODY_BYTES - 1 - empty)})) == 19_999
    with pytest.raises(ValueError, match="not 20000"):
        encode_body("x", NOON, {"text": "a" * (MAX_BODY_BYTES - empty)})
