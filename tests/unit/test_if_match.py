"""Versions as entity tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PreconditionRequired, VersionMismatch
from shared.if_match import ANY_VERSION, read_if_match, version_tag


@given(st.integers(1, 10**9 - 1))
def test_if_match_tag_matches_its_version_alone(version: int) -> None:
    expected = read_if_match([version_tag(version)])
    assert expected.version_list == [version]
    expected.check(version)
    for other in (version - 1, version + 1):
        with pytest.raises(VersionMismatch) as refused:
            expected.check(other)
        assert refused.value.members() == {"current_version": other}


@pytest.mark.parametrize("headers", [[], [""], [" , "]])
def test_if_match_missing_is_refused_where_required(headers: list[str]) -> None:
    assert read_if_match(headers) == ANY_VERSION
    with pytest.raises(PreconditionRequired):
        read_if_match(headers, required=True)


@pytest.mark.parametrize(
    ("headers", "versions"),
    [
        (['"1"'], {1}),
        (["1"], {1}),
        (['"1", "2"', "3"], {1, 2, 3}),
        (['W/"1"', 'W/"2", "3"'], {1, 2, 3}),
        (['"1-gzip"', 'W/"2-br"', '"3-zstd"', '"4-deflate"'], {1, 2, 3, 4}),
        (['w/"1"', 'W/ "1"', '"W/1"', '"1-zebra"', '"1-"', '"1-gzip', 'W/W/"1"'], set()),
        (['"x"', '"-1"', '"1.0"', '"²"', '"1\n"'], set()),
        (['"12345678901"'], set()),
    ],
)
def test_if_match_weak_and_unquoted_tags_are_accepted(
    headers: list[str], versions: set[int]
) -> None:
    assert read_if_match(headers).version_list == sorted(versions)
    assert read_if_match(headers, required=True).version_list == sorted(versions)


def test_if_match_star_matches_any_version() -> None:
    expected = read_if_match(["*"], required=True)
    expected.check(77)
    assert expected.version_list is None


@given(st.lists(st.text()))
def test_if_match_of_any_text_never_crashes(headers: list[str]) -> None:
    read_if_match(headers)
