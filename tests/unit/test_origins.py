"""Origins: how they are written, and which pages may call."""

import pytest

from shared.origins import AllowedOrigins, is_secure, to_origin

OWN = "https://id.example"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example", "https://app.example"),
        ("HTTPS://App.Example:443/", "https://app.example"),
        ("http://app.shop.localhost:5173", "http://app.shop.localhost:5173"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_to_origin_url_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert to_origin(url) == origin


@pytest.mark.parametrize(
    "text",
    ["*", "null", "", "app.example", "localhost:3000", "//app.example", "https://", "https://*",
     "https://*.example", "https://a.example/path", "https://a.example?x", "https://a.example#x",
     "https://u@a.example", "https://:p@a.example", "https://bücher.example", "https://a .example",
     "https://a.example:port", "https://[zebra]", "https://[::1", "file:///page.html"],
)  # fmt: skip
def test_to_origin_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected scheme://host"):
        to_origin(text)


LOCAL = [
    f"{scheme}://{host}{port}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
    for port in ("", ":3000", ":65535")
]


@pytest.mark.parametrize("origin", LOCAL)
def test_local_page_is_allowed_in_development_alone(origin: str) -> None:
    assert origin in AllowedOrigins(OWN, development=True)
    assert origin not in AllowedOrigins(OWN)


@pytest.mark.parametrize(
    "origin",
    ["null", "", "*", "http://localhost.evil.example", "http://localhost:3000.evil.example",
     "http://evil.example/localhost", "http://localhost:", "http://localhost:x", "file://localhost",
     "http://localhost@evil.example", "http://x.localhost", "http://127.0.0.1.evil.example",
     "http://127.0.0.2", "http://127.1", "http://LOCALHOST", "http://localhost\n", "http://[::2]",
     "http://localhost:٣٠٠٠", "http://localhost:123456", " http://localhost", "http://0.0.0.0"],
)  # fmt: skip
def test_page_that_only_looks_local_is_foreign(origin: str) -> None:
    assert origin not in AllowedOrigins(OWN, development=True)


def test_listed_page_and_own_page_are_allowed() -> None:
    allowed = AllowedOrigins(OWN, frozenset({"https://app.example"}))
    assert OWN in allowed
    assert "https://app.example" in allowed
    for foreign in ("http://app.example", "https://app.example:8443", "https://APP.example"):
        assert foreign not in allowed


@pytest.mark.parametrize(
    ("origin", "secure"),
    [
        ("https://app.example", True),
        ("capacitor://localhost", True),
        ("http://localhost", True),
        ("http://app.shop.localhost:3000", True),
        ("http://app.example", False),
        ("http://localhost.example", False),
    ],
)
def test_plain_http_is_secure_on_this_machine_alone(origin: str, *, secure: bool) -> None:
    assert is_secure(origin) is secure
