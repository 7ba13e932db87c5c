"""Attempts in a network where every address is this machine, as `unshare -Urn` starts it.

Prints how many packets an attempt with the policy sends to each refused address, in each way that
it may be named, and to public addresses of this machine; and whether an attempt without a policy
arrives.
"""

import asyncio
import json
import socket
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvloop

from shared.clock import SystemClock
from shared.webhooks.destination import DestinationPolicy
from shared.webhooks.model import Attempt, WebhookMessage
from shared.webhooks.sender import WebhookSender, open_sender
from tests.support.webhook_addresses import REFUSED_ADDRESSES
from tests.support.webhook_receiver import Receiver, answering, open_receiver

OWN = ("1.1.1.1", "2606:4700:4700::1111")
SETUP = (
    "ip link set lo up",
    *(f"ip address add {address} dev lo" for address in OWN),
    "ip route add local 0.0.0.0/0 dev lo",
    "ip -6 route add local ::/0 dev lo",
)
MESSAGE = WebhookMessage("msg_1", b"{}")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYWHERE = ("0.0.0.0/0", "::/0")
ALLOWED, NAME = "127.0.0.77", "receiver.example"
WAYS = ("literal", "name", "rebinding", "redirect")


def sent_packets() -> int:
    """Return the packets that any interface of this network has sent."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return sum(int(line.partition(":")[2].split()[9]) for line in lines)


def url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@dataclass
class AttemptWay:
    """Makes attempts that would end at an address, in one of the ways that an attacker has."""

    way: str
    sender: WebhookSender
    receiver: Receiver

    async def attempt(self, address: str) -> dict[str, object]:
        """Return error, further connections and packets of an attempt; a redirect has some."""
        target = url(address, self.receiver.port)
        first, host = ALLOWED, ALLOWED
        self.receiver.respond = answering(200)
        match self.way:
            case "literal":
                host = address
            case "name":
                first, host = address, NAME
            case "rebinding":
                host = NAME
            case "redirect":
                self.receiver.respond = answering(307, b"", f"Location: {target}")
        with patch.object(socket, "getaddrinfo", answering_names(first, address)):
            if self.way == "rebinding":
                assert (await self._post(host)).delivered
                await asyncio.sleep(0.1)  # the last packets of that connection
            connections, packets = self.receiver.connections, sent_packets()
            attempt = await self._post(host)
        redirected = self.way == "redirect"
        return {
            "error": attempt.error,
            "connections": self.receiver.connections - connections - redirected,
            "packets": 0 if redirected else sent_packets() - packets,
        }

    async def _post(self, host: str) -> Attempt:
        return await self.sender.attempt(url(host, self.receiver.port), MESSAGE, [SECRET])


def answering_names(first: str, later: str) -> Callable[..., list[Any]]:
    """Return look-ups of which the first finds one address, and the others find another one."""
    left = [first]

    def look_up(_host: str, port: None, *_args: object, **_options: object) -> list[Any]:
        address = left.pop() if left else later
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    return look_up


async def attempt_each(
    way: str, addresses: Iterable[str], *allow_networks: str
) -> dict[str, dict[str, object]]:
    """Return what comes of an attempt to each address."""
    raw = socket.socket(socket.AF_INET6)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    raw.bind(("::", 0))
    networks = tuple(map(ip_network, allow_networks))
    policy = DestinationPolicy(frozenset({"http"}), frozenset(), networks)
    async with (
        open_receiver(sock=raw) as receiver,
        open_sender(policy, 2, SystemClock(), 50) as sender,
    ):
        attempts = AttemptWay(way, sender, receiver)
        return {address: await attempts.attempt(address) for address in addresses}


async def main() -> None:
    for command in SETUP:
        subprocess.run(command.split(), check=True)
    await asyncio.sleep(2)  # the kernel's own packets about new addresses come first
    addresses = list(REFUSED_ADDRESSES.values())
    found = {way: await attempt_each(way, addresses, ALLOWED) for way in WAYS}
    found["own"] = await attempt_each("literal", OWN, ALLOWED)
    found["allowed"] = await attempt_each("literal", addresses, *EVERYWHERE)
    print(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(main())  # as a service runs
