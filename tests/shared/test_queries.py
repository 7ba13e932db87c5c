"""Each fault of a request's query gets its own 4xx, which quotes nothing of it."""

import pytest

from tests.shared.test_requests import check, fields
from tests.support.raw_http import SmallService


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=zebra", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("other=1", "other"),
        ("cursor=zebra", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=%ed%a0%80", "cursor"),
        ("cursor=%ff", "cursor"),
        ("cursor=%zz", "cursor"),
    ],
    ids=lambda text: text[:20],
)
async def test_query_invalid_parameter_is_422(small: SmallService, query: str, field: str) -> None:
    answer = await small.one(
        f"GET /v1/small/things?{query} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
    )
    check(answer, 422, "validation_failed")
    assert list(fields(answer)) == [field]


@pytest.mark.parametrize(
    "query",
    [
        "fbclid=zebra",
        "utm_source=zebra&utm_source=zebra",
        "_=1",
        "v=2&limit=7",
        "zebra=%00",
        "%ff=%ed%a0%80",
    ],
)
async def test_query_foreign_parameters_of_shared_link_are_ignored(
    small: SmallService, query: str
) -> None:
    answer = await small.call("GET", f"/shown?{query}")
    assert answer.body == {"limit": 7 if "limit" in query else 50, "cursor": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=1&limit=2", "cursor=%00"])
async def test_query_own_parameters_of_shared_link_are_checked(
    small: SmallService, query: str
) -> None:
    check(await small.call("GET", f"/shown?{query}"), 422, "validation_failed")


@pytest.mark.parametrize("limit", [1, 200])
async def test_query_limit_within_range_is_accepted(small: SmallService, limit: int) -> None:
    assert (await small.call("GET", f"/things?limit={limit}")).body["limit"] == limit
