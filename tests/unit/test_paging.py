"""Cursors: what we make comes back, what others make is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ValidationFailed
from shared.paging import Page, PageQuery, Position, decode_cursor, encode_cursor


@given(st.lists(st.text(), max_size=5))
def test_cursor_encoded_is_decoded(values: list[str]) -> None:
    assert decode_cursor(encode_cursor(values), len(values)) == values


@given(st.lists(st.text(), max_size=5))
def test_cursor_is_url_safe(values: list[str]) -> None:
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
def test_cursor_malformed_is_refused_as_its_field(hostile: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode_cursor(hostile, 2)
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("cursor", "cursor_invalid")
    ]


@given(st.text())
def test_cursor_of_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        values = decode_cursor(text, 2)
    except ValidationFailed:
        return
    assert len(values) == 2


NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@given(st.datetimes(timezones=st.timezones()), st.uuids())
def test_position_parsed_from_its_cursor_is_equal(moment: datetime, name: UUID) -> None:
    try:
        place = Position(moment.astimezone(UTC), name)
    except OverflowError:  # the first and last hours of the calendar have no UTC
        return
    assert Position.parse(place.cursor(), UUID) == place


@pytest.mark.parametrize(
    "values",
    [
        ["soon", str(UUID(int=1))],
        ["2026-06-15T12:00:00", str(UUID(int=1))],
        ["0001-01-01T00:00:00+14:00", str(UUID(int=1))],
        ["2026-06-15T12:00:00+00:00", "x"],
        ["2026-06-15T12:00:00+00:00", ""],
        ["", ""],
    ],
)
def test_position_from_a_cursor_of_another_list_is_refused(values: list[str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Position.parse(encode_cursor(values), UUID)
    assert [error.code for error in refused.value.errors] == ["cursor_invalid"]


def test_positions_sort_by_time_then_id() -> None:
    early, late = NOW, NOW + timedelta(microseconds=1)
    assert Position(early, 9) < Position(late, 1) < Position(late, 2)


class PlacePage(Page[int]):
    """A page of places' ids."""


@pytest.mark.parametrize(("found", "shown", "more"), [(0, 0, False), (3, 3, False), (4, 3, True)])
def test_page_full_has_a_next_cursor(found: int, shown: int, more: bool) -> None:
    query = PageQuery(limit=3)
    places = [Position(NOW, number) for number in range(found)]
    page = PlacePage.from_rows(query, places[: query.rows], lambda place: place.id)
    assert page.items == list(range(shown))
    assert page.next_cursor == (places[2].cursor() if more else None)


@pytest.mark.parametrize("cursor", [None, ""])
def test_page_without_cursor_is_the_first(cursor: str | None) -> None:
    query, first = PageQuery(cursor=cursor), Position(NOW, UUID(int=7))
    assert query.start(UUID, first) == first
    assert query.before_id() == UUID(int=2**128 - 1)


@given(st.uuids())
def test_page_starts_after_its_cursor(last: UUID) -> None:
    place = Position(NOW, last)
    assert PageQuery(cursor=place.cursor()).start(UUID, Position(NOW, UUID(int=7))) == place
    assert PageQuery(cursor=encode_cursor([str(last)])).before_id() == last


@pytest.mark.parametrize("cursor", ["x", encode_cursor(["x"]), Position(NOW, "x").cursor()])
def test_page_with_a_foreign_cursor_is_refused(cursor: str) -> None:
    query = PageQuery(cursor=cursor)
    with pytest.raises(ValidationFailed):
        query.before_id()
    with pytest.raises(ValidationFailed):
        query.start(UUID, Position(NOW, UUID(int=7)))
