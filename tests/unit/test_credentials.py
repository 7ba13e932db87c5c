"""The credentials of a request: cookies as browsers send them, and as attackers would."""

from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from shared.cors import ALLOWED_ORIGINS
from shared.credentials import ACCESS_COOKIE, find_cookie, find_credential, require_own_origin
from shared.errors import CsrfFailed, MalformedRequest
from shared.origins import AllowedOrigins

OWN, SISTER = "https://id.example", "https://app.id.example"
LOCAL = "http://localhost:5173"


def request(*headers: tuple[str, str], development: bool = False) -> Any:
    app = web.Application()
    app[ALLOWED_ORIGINS] = AllowedOrigins(OWN, frozenset({SISTER}), development=development)
    return make_mocked_request("POST", "/", headers=CIMultiDict(headers), app=app)


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
def test_cookie_is_found_by_its_exact_name(line: str, value: str | None) -> None:
    assert find_cookie(request(("Cookie", line)), ACCESS_COOKIE) == value


@pytest.mark.parametrize(
    "lines",
    [[f"{ACCESS_COOKIE}=a; {ACCESS_COOKIE}=a"], [f"{ACCESS_COOKIE}=a", f"{ACCESS_COOKIE}=b"]],
)
def test_cookie_sent_twice_is_malformed(lines: list[str]) -> None:
    with pytest.raises(MalformedRequest):
        find_cookie(request(*(("Cookie", line) for line in lines)), ACCESS_COOKIE)


def test_credential_bearer_token_wins_over_cookie() -> None:
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
        ["http://id.example"],
        ["https://id.example:443"],
        ["https://id.example/"],
        ["https://ID.example"],
        ["null"],
        [LOCAL],
        [""],
        [OWN, OWN],
        [OWN, "https://evil.example"],
    ],
)
def test_origin_other_than_ours_is_csrf_failed(origins: list[str]) -> None:
    foreign = request(*(("Origin", origin) for origin in origins))
    for may_be_missing in (True, False):
        with pytest.raises(CsrfFailed, match=f"^send Origin: {OWN} "):
            require_own_origin(foreign, may_be_missing=may_be_missing)


def test_origin_missing_is_accepted_only_where_allowed() -> None:
    for origin in (OWN, SISTER):
        require_own_origin(request(("Origin", origin)))
    require_own_origin(request(), may_be_missing=True)
    with pytest.raises(CsrfFailed, match=f"^send Origin: {OWN} "):
        require_own_origin(request())


def test_origin_of_local_page_is_accepted_in_development_alone() -> None:
    require_own_origin(request(("Origin", LOCAL), development=True))
    forged = (("Host", "localhost"), ("X-Forwarded-Host", "localhost"), ("Origin", LOCAL))
    with pytest.raises(CsrfFailed):
        require_own_origin(request(*forged))


@pytest.mark.parametrize(
    ("origin", "differs"),
    [
        ("http://id.example", "scheme"),
        ("https://id.example:8443", "port"),
        ("https://other.example", "host"),
        ("http://other.example:81", "scheme and host and port"),
        ("https://[::1", "host"),
        ("null", "scheme and host"),
    ],
)
def test_origin_foreign_names_the_setting_in_error_and_log(origin: str, differs: str) -> None:
    refused = request(("Origin", origin), development=True)
    with structlog.testing.capture_logs() as logs, pytest.raises(CsrfFailed) as failed:
        require_own_origin(refused)
    text = str(failed.value)
    assert f"differs from PUBLIC_URL ({OWN}) in its {differs}: set PUBLIC_URL" in text
    assert origin not in text.replace(OWN, "")
    [line] = logs
    assert (line["event"], line["setting"], line["origin"], line["differs"]) == (
        "origin.refused",
        "PUBLIC_URL",
        origin,
        differs,
    )
