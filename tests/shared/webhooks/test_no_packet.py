"""In a network where every address answers, a refused address gets no packet."""

import json
import subprocess
import sys

import pytest

from tests.support.webhook_addresses import REFUSED_ADDRESSES

UNSHARE = ["unshare", "--map-root-user", "--net"]


def can_unshare() -> bool:
    try:
        tried = subprocess.run([*UNSHARE, "ip", "link"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="needs user namespaces and iproute2")
def test_refused_addresses_get_no_packet_where_all_addresses_answer() -> None:
    program = [*UNSHARE, sys.executable, "-m", "tests.support.any_ip"]
    found = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)
    nothing = {"error": "address_refused", "connections": 0, "packets": 0}
    for way in ("literal", "name", "rebinding"):
        assert list(found[way]) == list(REFUSED_ADDRESSES.values())
        assert {address: one for address, one in found[way].items() if one != nothing} == {}
    assert {one["connections"] for one in found["redirect"].values()} == {0}
    assert list(found["own"].values()) == [nothing, nothing]
    answering = [address for address, one in found["allowed"].items() if one["connections"]]
    assert len(answering) >= 18  # so that the listener would have seen the others
