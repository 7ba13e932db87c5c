"""Cursors: what we make comes back, what others make is refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ValidationFailed
from shared.paging import decode_cursor, encode_cursor


@given(st.lists(st.text(), max_size=5))
def test_a_cursor_gives_back_what_was_put_in(values: list[str]) -> None:
    assert decode_cursor(encode_cursor(values), len(values)) == values


@given(st.lists(st.text(), max_size=5))
def test_a_cursor_needs_no_escaping_in_an_address(values: list[str]) -> None:
    assert set(encode_cursor(values)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        " ",
        "%",
        "a",
        "abc",
        "ÿ",
        "१२३",
        "\ud800",
        "\0",
        "=" * 400,
        packed(None),
        packed("two"),
        packed({"a": "b"}),
        packed(["one"]),
        packed(["one", "two", "three"]),
        packed(["one", 2]),
        packed(["one", None]),
        packed([["one"], "two"]),
        packed([float("nan"), "two"]),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 200_000).decode(),
        base64.urlsafe_b64encode(b"[" + b"9" * 10_000 + b"]").decode(),
        encode_cursor(["one", "two"])[:-3],
        encode_cursor(["one", "two"]) + "!",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_cursor_is_refused_as_the_field_cursor(hostile: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode_cursor(hostile, 2)
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("cursor", "cursor_invalid")
    ]


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        values = decode_cursor(text, 2)
    except ValidationFailed:
        return
    assert len(values) == 2
