"""Products' ids, and what two requests under one key must share."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_service.idempotency.model import hash_request
from media_service.product.model import new_product_id, parse_product_id
from media_service.quota.model import seconds_until_tomorrow
from shared.entropy import SystemEntropy


class Fixed(SystemEntropy):
    """Draws the bytes that it was given."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def bytes(self, count: int) -> bytes:
        assert count == len(self.data)
        return self.data


@given(st.binary(min_size=8, max_size=8))
def test_product_id_encodes_sixty_bits_in_base_32(data: bytes) -> None:
    name = new_product_id(Fixed(data))
    assert parse_product_id(name) == name
    digits = name.removeprefix("PR-")
    crockford = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUV")
    value = sum(int(c, 32) << 5 * place for place, c in enumerate(digits.translate(crockford)))
    assert value == int.from_bytes(data) & (1 << 60) - 1


@pytest.mark.parametrize(
    "text",
    ["", "PR-", "PR-0123456789A", "PR-0123456789ABC", "pr-0123456789AB", "PR-0123456789AB\n"],
)
def test_product_id_of_other_length_or_case_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a product's id"):
        parse_product_id(text)


@pytest.mark.parametrize("letter", ["I", "L", "O", "U", "a", "-"])
def test_product_id_with_excluded_letter_is_refused(letter: str) -> None:
    with pytest.raises(ValueError, match="not a product's id"):
        parse_product_id(f"PR-0123456789A{letter}")


def test_request_hash_depends_on_fields_and_file_alone() -> None:
    first = hash_request({"a": "1", "b": None}, b"x")
    assert first == hash_request({"b": None, "a": "1"}, b"x")
    others = [
        hash_request({"a": "1", "b": "None"}, b"x"),
        hash_request({"a": 1, "b": None}, b"x"),
        hash_request({"a": "1"}, b"x"),
        hash_request({"a": "1", "b": None}, b"y"),
        hash_request({"a": "1", "b": None}, None),
    ]
    assert first not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("2026-06-15T23:59:59.5", 1),
        ("2026-06-15T00:00:00", 86_401),
        ("2026-12-31T12:00:00", 43_201),
    ],
)
def test_seconds_until_tomorrow_count_to_midnight_utc(now: str, seconds: int) -> None:
    assert seconds_until_tomorrow(datetime.fromisoformat(now).replace(tzinfo=UTC)) == seconds
