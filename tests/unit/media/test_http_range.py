"""Conditional and partial requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_service.picture.errors import RangeNotSatisfiable
from media_service.picture.http_range import ByteRange, select_range
from shared.if_match import matches_etag

ETAG = f'"{"01" * 32}"'
DATE = "Mon, 30 Nov 2026 10:00:00 GMT"
VALIDATORS = (ETAG, DATE)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("", False),
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"other", {ETAG}', True),
        (f'{ETAG[:-1]}-gzip"', True),
        (f'"other", W/{ETAG[:-1]}-br"', True),
        ("*", True),
        ('"other"', False),
        (f'{ETAG[:-1]}-zebra"', False),
        (f"{ETAG[:-1]}-gzip", False),
        (ETAG.strip('"'), False),
    ],
)
def test_if_none_match_is_compared_weakly(header: str, known: bool) -> None:
    assert matches_etag([header], ETAG) is known
    assert matches_etag(['"other"', header], ETAG) is known
    assert not matches_etag([], ETAG)


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=90-", 90, 10),
        ("bytes=90-1000", 90, 10),
        ("bytes=99-99", 99, 1),
        ("bytes=-10", 90, 10),
        ("bytes=-1000", 0, 100),
        ("bytes=0-", 0, 100),
        ("bytes=0-99", 0, 100),
        ("bytes=0-999999", 0, 100),
        ("Bytes = 5-6", 5, 2),
    ],
)
def test_range_valid_selects_its_bytes(header: str, start: int, length: int) -> None:
    expected = ByteRange(start, length, 100, partial=True)
    assert select_range(header, None, VALIDATORS, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "bytes=0-1,5-6",
        "bytes=9-5",
        "bytes=-",
        "items=0-9",
        "bytes=a-b",
        "bytes=" + "9" * 400 + "-",
    ],
)
def test_range_absent_or_invalid_selects_the_whole(header: str | None) -> None:
    whole = ByteRange(0, 100, 100, partial=False)
    assert select_range(header, None, VALIDATORS, 100) == whole


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999-"])
def test_range_beyond_the_end_is_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        select_range(header, None, VALIDATORS, 100)
    assert refused.value.headers() == {"Content-Range": "bytes */100"}


def test_range_of_another_version_is_ignored() -> None:
    assert select_range("bytes=0-9", ETAG, VALIDATORS, 100).partial
    assert select_range("bytes=0-9", DATE, VALIDATORS, 100).partial
    assert not select_range("bytes=0-9", DATE.replace("10:", "11:"), VALIDATORS, 100).partial
    assert not select_range("bytes=0-9", '"other"', VALIDATORS, 100).partial
    assert not select_range("bytes=0-9", f"W/{ETAG}", VALIDATORS, 100).partial


def test_content_range_names_first_last_and_size() -> None:
    assert ByteRange(10, 5, 100, partial=True).content_range == "bytes 10-14/100"


@given(st.text(max_size=30), st.integers(1, 1000))
def test_range_of_any_text_lies_inside_the_file(header: str, size: int) -> None:
    try:
        span = select_range(f"bytes={header}", None, VALIDATORS, size)
    except RangeNotSatisfiable:
        return
    assert 0 <= span.start < span.start + span.length <= size
