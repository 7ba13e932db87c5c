"""What a request shows for itself: cookies as browsers send them, and as attackers would."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from shared.credentials import ACCESS_COOKIE, find_cookie, find_credential, require_origin
from shared.errors import CsrfFailed, MalformedRequest

OWN = "https://app.example"


def request(*headers: tuple[str, str], method: str = "POST") -> Any:
    return make_mocked_request(method, "/", headers=CIMultiDict(headers))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"{ACCESS_COOKIE}=a", "a"),
        (f" {ACCESS_COOKIE} = a ;b=c", "a"),
        (f"b=c;\t{ACCESS_COOKIE}=a=b=", "a=b="),
        (f"{ACCESS_COOKIE}=", ""),
        (f'b="x; {ACCESS_COOKIE}=a; y"', "a"),  # no quoting: a browser sends none of ours quoted
        (f"{ACCESS_COOKIE}", None),
        (f"={ACCESS_COOKIE}=a", None),
        (f"b={ACCESS_COOKIE}=a", None),
        (f"{ACCESS_COOKIE.upper()}=a", None),
        (f"\u2000{ACCESS_COOKIE}=a", None),
        (f"\x85{ACCESS_COOKIE}=a", None),
        (f"$Version=1, {ACCESS_COOKIE}=a", None),
        ("", None),
    ],
)
def test_a_cookie_is_found_by_its_exact_name(line: str, value: str | None) -> None:
    assert find_cookie(request(("Cookie", line)), ACCESS_COOKIE) == value


@pytest.mark.parametrize(
    "lines",
    [[f"{ACCESS_COOKIE}=a; {ACCESS_COOKIE}=a"], [f"{ACCESS_COOKIE}=a", f"{ACCESS_COOKIE}=b"]],
)
def test_one_that_occurs_twice_is_refused(lines: list[str]) -> None:
    with pytest.raises(MalformedRequest):
        find_cookie(request(*(("Cookie", line) for line in lines)), ACCESS_COOKIE)


def test_a_bearer_token_comes_first_and_alone() -> None:
    both = request(
        ("Authorization", "Bearer t"), ("Cookie", f"{ACCESS_COOKIE}=a; {ACCESS_COOKIE}=b")
    )
    credential = find_credential(both)
    assert credential is not None
    assert (credential.token, credential.in_cookie) == ("t", False)
    assert find_cookie(both, ACCESS_COOKIE) is None
    assert find_credential(request(("Cookie", f"{ACCESS_COOKIE}="))) is None
    assert find_credential(request(("Authorization", "Basic eA=="))) is None


@pytest.mark.parametrize(
    "origins",
    [
        ["http://app.example"],
        ["https://app.example:443"],
        ["https://app.example/"],
        ["https://APP.example"],
        ["null"],
        [""],
        [OWN, OWN],
        [OWN, "https://evil.example"],
    ],
)
def test_any_other_origin_is_foreign(origins: list[str]) -> None:
    foreign = request(*(("Origin", origin) for origin in origins))
    for may_be_missing in (True, False):
        with pytest.raises(CsrfFailed, match=f"^send Origin: {OWN} "):
            require_origin(foreign, OWN, may_be_missing=may_be_missing)


def test_a_missing_origin_counts_where_no_browser_leaves_it_out() -> None:
    require_origin(request(("Origin", OWN)), OWN)
    require_origin(request(), OWN, may_be_missing=True)
    with pytest.raises(CsrfFailed, match=f"^send Origin: {OWN} "):
        require_origin(request(), OWN)
