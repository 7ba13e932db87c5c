"""Attempts in a network where every address is this machine, as `unshare -Urn` starts it.

Prints for each address whether an attempt without a policy arrives, and how many packets an attempt
with the policy sends.
"""

import asyncio
import json
import socket
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import uvloop

from shared.clock import SystemClock
from shared.webhooks import destination
from shared.webhooks.destination import DestinationPolicy
from shared.webhooks.model import WebhookMessage
from shared.webhooks.sender import open_sender
from tests.support.webhook_addresses import REFUSED_ADDRESSES
from tests.support.webhook_receiver import open_receiver

SETUP = (
    "ip link set lo up",
    "ip route add local 0.0.0.0/0 dev lo",
    "ip -6 route add local ::/0 dev lo",
)
MESSAGE = WebhookMessage("msg_1", b"{}")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYWHERE = tuple(map(ip_network, ("0.0.0.0/0", "::/0")))


def sent_packets() -> int:
    """Return the packets that any interface of this network has sent."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return sum(int(line.partition(":")[2].split()[9]) for line in lines)


async def attempt_each(allow_networks: tuple[destination.Network, ...]) -> dict[str, Any]:
    """Return error, connections and packets of an attempt to each address."""
    raw = socket.socket(socket.AF_INET6)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    raw.bind(("::", 0))
    policy = DestinationPolicy(frozenset({"http"}), frozenset(), allow_networks)
    found = {}
    async with open_receiver(sock=raw) as receiver, open_sender(policy, 2, SystemClock()) as sender:
        for address in REFUSED_ADDRESSES.values():
            connections, packets = receiver.connections, sent_packets()
            host = f"[{address}]" if ":" in address else address
            url = f"http://{host}:{receiver.port}/"
            attempt = await sender.attempt(url, MESSAGE, [SECRET])
            found[address] = {
                "error": attempt.error,
                "connections": receiver.connections - connections,
                "packets": sent_packets() - packets,
            }
    return found


async def main() -> None:
    for command in SETUP:
        subprocess.run(command.split(), check=True)
    await asyncio.sleep(2)  # the kernel's own packets about new addresses come first
    refused = await attempt_each(())
    print(json.dumps({"refused": refused, "allowed": await attempt_each(EVERYWHERE)}))


if __name__ == "__main__":
    uvloop.run(main())  # as a service runs
