"""The client's address: `X-Forwarded-For` counts only from trusted proxies."""

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, UnixConnector

from auth_service.rate_limit.model import client_network
from shared.server import listening
from shared.settings import ServiceSettings
from tests.support.raw_http import SmallService
from tests.support.small_service import small_app

PROXY, OUTER = "127.0.0.1", "10.0.0.0/8"


async def asked(small: SmallService, *forwarded: str) -> str:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    return str((await small.call("GET", "/address", headers=headers)).body["text"])


@pytest.mark.parametrize("forged", [[], ["203.0.113.9"], ["203.0.113.9, 127.0.0.1"], ["zebra"]])
async def test_client_address_without_trusted_proxies_is_the_peer(
    small: SmallService, forged: list[str]
) -> None:
    assert await asked(small, *forged) == "127.0.0.1"


async def test_client_address_of_untrusted_peer_is_the_peer(
    serving_small: Callable[..., Any],
) -> None:
    async with serving_small(trusted_proxies=OUTER) as small:
        assert await asked(small, "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (["203.0.113.9", "10.1.2.3"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),  # the first one is the client's own word
        (["198.51.100.1", "203.0.113.9, 10.1.2.3, 10.4.5.6"], "203.0.113.9"),
        (["10.1.2.3"], "10.1.2.3"),
        (["10.1.2.3, 10.4.5.6"], "10.1.2.3"),
        ([""], "127.0.0.1"),
        ([" , "], "127.0.0.1"),
        (["203.0.113.9, ", "", ",10.1.2.3"], "203.0.113.9"),
        (["zebra, 203.0.113.9"], "203.0.113.9"),
        (["unknown", "\xff, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (["203.0.113.7:51234"], "203.0.113.7"),
        (["203.0.113.7:51234, 10.1.2.3:80"], "203.0.113.7"),
        (["198.51.100.1:1, 203.0.113.7:51234"], "203.0.113.7"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:443, 10.1.2.3"], "2001:db8::1"),
        (["[::ffff:203.0.113.9]:80"], "203.0.113.9"),
        (["[fe80::1%eth0]:443"], "fe80::1"),
        (["2001:db8::1:443"], "2001:db8::1:443"),  # all of it is an address
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:DB8:0::1, 10.1.2.3"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["fe80::1%eth0"], "fe80::1"),  # a zone is the proxy's own matter, and no column's
        (["2001:db8::1%x' or 1"], "2001:db8::1"),
        (["::ffff:203.0.113.9%a"], "203.0.113.9"),
        (["203.0.113.9, ::ffff:10.1.2.3"], "203.0.113.9"),
        (["1, " * 1500 + "203.0.113.9"], "203.0.113.9"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_client_address_behind_trusted_proxies_is_last_untrusted_entry(
    serving_small: Callable[..., Any], forwarded: list[str], client: str
) -> None:
    async with serving_small(trusted_proxies=f"{PROXY}, {OUTER}") as small:
        assert await asked(small, *forwarded) == client


@pytest.mark.parametrize(
    "forwarded",
    [
        ["zebra"],
        ["unknown"],
        ["unix:"],
        ["203.0.113.9, zebra"],
        ["203.0.113.9", "zebra, 10.1.2.3"],
        ["zebra, 10.1.2.3"],
        ["203.0.113.9%a"],
        ["203.0.113.9:"],
        ["203.0.113.9:zebra"],
        ["203.0.113.9:123456"],
        ["203.0.113.256:80"],
        ["[2001:db8::1"],
        ["2001:db8::1]:443"],
        ["[2001:db8::1]443"],
        ["[]:443"],
        [":443"],
        ['"203.0.113.9"'],
        ["203.0.113.9 10.1.2.3"],
        ["127.0.0.1x"],
        ["\xff"],
        ["[" * 4000],
    ],
    ids=lambda value: str(value)[:40],
)
async def test_client_address_malformed_entry_is_400_and_logged(
    serving_small: Callable[..., Any], forwarded: list[str]
) -> None:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    async with serving_small(trusted_proxies=f"{PROXY}, {OUTER}") as small:
        with structlog.testing.capture_logs() as logs:
            answer = await small.call("GET", "/address", headers=headers)
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert "zebra" not in str(answer.body)
    [rejected] = [line for line in logs if line["event"] == "forwarded_for.rejected"]
    assert rejected["peer"] == "127.0.0.1"
    assert len(rejected["entry"]) <= 300


async def test_client_address_malformed_entry_over_unix_socket_is_400(
    tmp_path: Path, small_settings: Callable[..., ServiceSettings]
) -> None:
    path = tmp_path / "s"
    async with (
        listening(small_app(small_settings()), f"unix:{path}", 0),
        ClientSession("http://h", connector=UnixConnector(str(path))) as http,
    ):
        small = SmallService(http, "http://h")
        headers = [("X-Forwarded-For", "unknown")]
        answer = await small.call("GET", "/address", headers=headers)
        assert (answer.status, answer.code) == (400, "malformed_request")


async def test_client_address_over_unix_socket_trusts_the_header(
    tmp_path: Path, small_settings: Callable[..., ServiceSettings]
) -> None:
    path = tmp_path / "s"
    async with (
        listening(small_app(small_settings()), f"unix:{path}", 0) as address,
        ClientSession("http://h", connector=UnixConnector(str(path))) as http,
    ):
        assert address == f"unix:{path}"
        small = SmallService(http, "http://h")
        assert await asked(small) == "127.0.0.1"
        assert await asked(small, "203.0.113.9") == "203.0.113.9"
        assert await asked(small, "198.51.100.1, 203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.8", False),
    ],
)
async def test_client_network_of_one_ipv6_64_is_equal(
    serving_small: Callable[..., Any], one: str, other: str, *, same: bool
) -> None:
    async with serving_small(trusted_proxies=PROXY) as small:
        sites = {client_network(ip_address(await asked(small, each))) for each in (one, other)}
    assert (len(sites) == 1) is same
