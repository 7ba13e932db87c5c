"""The client of one request: its address, program, device and proof of work."""

import re
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from shared.networks import network_of

MAX_DISPLAY_LENGTH = 140
NOT_DISPLAYED = re.compile(r"[^A-Za-z0-9 ./(),;_]+|(?<![0-9])\.|\.(?![0-9])")
AGENT_FAMILIES = (
    ("edge", re.compile(r"\bEdg(e|A|iOS)?/")),
    ("opera", re.compile(r"\b(OPR|Opera)/")),
    ("samsung", re.compile(r"\bSamsungBrowser/")),
    ("firefox", re.compile(r"\b(Firefox|FxiOS)/")),
    ("chrome", re.compile(r"\b(Chrome|Chromium|CriOS)/")),
    ("safari", re.compile(r"\bSafari/")),
)
"""The first match wins: most browsers also name the ones that they resemble."""
PRODUCT = re.compile(r"[A-Za-z0-9._ -]+")
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class ProofOfWorkSolution:
    """A valid proof of work: its digest, its level, and its expiry in ms since 1970."""

    digest: str
    level: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Client:
    """A program that sends a request.

    `device`: the id in its device token, None without a valid one. `device_is_new`: that id was
    generated for this request, and the answer carries its token. `solution`: a valid proof of work.
    `presented_solution`: one was sent, valid or not. `languages`: preferred, best first.
    """

    address: Address
    user_agent: str | None
    request_id: str
    device: bytes | None = None
    device_is_new: bool = False
    solution: ProofOfWorkSolution | None = None
    presented_solution: bool = False
    languages: tuple[str, ...] = ()

    @property
    def display_device(self) -> str:
        """Return its name for notices, without text that a mail program turns into a link.

        Only dots in versions stay.
        """
        plain = re.sub("//+", "/", NOT_DISPLAYED.sub(" ", self.user_agent or ""))
        return " ".join(plain.split())[:MAX_DISPLAY_LENGTH].rstrip() or "unknown"

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """Return the network of the address: an IPv4 /24 or an IPv6 /48."""
        return network_of(self.address)

    @property
    def agent_family(self) -> str:
        """Return the program without its version: `firefox`, or an app's product name."""
        agent = self.user_agent or ""
        for family, pattern in AGENT_FAMILIES:
            if pattern.search(agent):
                return family
        product = PRODUCT.match(agent.partition("/")[0].strip())
        return product[0].lower() if product else "unknown"

    def notice_parameters(self, now: datetime) -> dict[str, str]:
        """Return the parameters of a notice about a request from this client."""
        return {
            "time": f"{now:%Y-%m-%d %H:%M} UTC",
            "address": str(self.address),
            "device": self.display_device,
        }
