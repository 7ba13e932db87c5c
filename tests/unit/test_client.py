"""What a notice says of a device: what it is, and nothing that it would like to say."""

from ipaddress import ip_address

import pytest

from auth_service.client import MAX_DISPLAY_LENGTH, Client

BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/126.0.0.0 Safari/537.36"


def shown(user_agent: str | None) -> str:
    return Client(ip_address("203.0.113.9"), user_agent, "request").display_device


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (BROWSER, BROWSER),
        ("Phone/1", "Phone/1"),
        (None, "unknown"),
        ("", "unknown"),
        ("\u202e<>", "unknown"),
        ("Locked: https://evil.example/unlock", "Locked https /evil example/unlock"),
        ("www.evil.example //evil.example", "www evil example /evil example"),
        ("mail a@evil.example\tnow", "mail a evil example now"),
        ("evil。example xn--9ca.example", "evil example xn 9ca example"),
        ("evil.2.example 1.e.2", "evil 2 example 1 e 2"),
        ("http://203.0.113.9/x", "http /203.0.113.9/x"),
        ("tel:+19005550100 1-900-555-0100", "tel 19005550100 1 900 555 0100"),
    ],
)
def test_user_agent_shown_holds_no_link(user_agent: str | None, told: str) -> None:
    assert shown(user_agent) == told


def test_user_agent_shown_is_cut() -> None:
    assert len(shown("word " * 80)) <= MAX_DISPLAY_LENGTH
