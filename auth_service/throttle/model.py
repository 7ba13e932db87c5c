"""The table of limits: which scope an event counts in, and how often it may happen there.

Every limit of `docs/settings.md` is changed by its setting; what a limit counts is said here.
"""

import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Literal, NamedTuple

from auth_service.destination import Destination
from auth_service.phone import split_country_code
from auth_service.settings import AuthSettings
from shared.limits import Rate

IPV6_SITE_BITS = 64
PREFIX_DIGITS = 3


Refuses = Literal["everybody", "strangers", "newcomers", "strangers_quietly", "newcomers_quietly"]
"""`strangers`: addresses from which the destination was not proven lately. `newcomers`: strangers
again, and only for a number that no verified user holds. `quietly`: they are not told that they get
nothing."""


class Scope(NamedTuple):
    """One counter in Redis, and whom it refuses when it is full.

    `counts`: whether what it does not refuse is counted in it.
    """

    name: str
    key: str
    rates: tuple[Rate, ...]
    refuses: Refuses = "everybody"
    counts: bool = True


def digest(*parts: str) -> str:
    """Return a key that does not show its parts, the same in every replica.

    It is no secret's HMAC, because replicas share it while secrets rotate.
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def site(address: IPv4Address | IPv6Address) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 /64 network."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_SITE_BITS), strict=False))
    return str(address)


def prefix(phone_number: str) -> str:
    """Return country code and next three digits: where number ranges are rented for pumping."""
    country_code, digits = split_country_code(phone_number)
    return f"{country_code}-{digits[:PREFIX_DIGITS]}"


def known_key(destination: str, client: IPv4Address | IPv6Address) -> str:
    """Return the key that notes: this client has proven this destination.

    Else whoever fills a destination's limits keeps its owner out.
    """
    return f"known:{digest(destination, site(client))}"


def sent_scopes(
    settings: AuthSettings,
    destination: Destination,
    client: IPv4Address | IPv6Address,
    *,
    to: Destination | None = None,
    quiet: bool = False,
) -> Sequence[Scope]:
    """Return what one code on its way counts in, the narrowest first; nothing without a limit.

    `to`: where the message goes when `destination` is not an address. It is not counted there,
    where whoever names the address would see it, but in what was named. `quiet`: who is a newcomer
    must not show.
    """
    here, address = site(client), destination.address
    cooldown = settings.otp_cooldown
    own = (Rate(1, cooldown * 1000),) if cooldown else ()
    total = settings.limit_send_total_per_destination
    # Where an owner is known from, others may be too, behind one address.
    strangers: Refuses = "strangers_quietly" if quiet else "strangers"
    newcomers: Refuses = "newcomers_quietly" if quiet else "newcomers"
    scopes = [
        *_scope("cooldown", own, "cooldown", address, here),
        *_scope("send_per_destination", settings.limit_send_per_destination, "send", address, here),
        *_scope("send_total_per_destination", total, "send_all", address, refuses=strangers),
        *_scope("send_per_ip", settings.limit_send_per_ip, "send_ip", here),
    ]
    if destination.spendable and (rates := settings.limit_send_per_prefix):
        range_ = prefix(address)
        scopes += _scope("send_per_prefix", rates, "send_prefix", range_, refuses=newcomers)
    scopes += _scope("send_total", settings.limit_send_total, "send_total", refuses=newcomers)
    if to:
        name = "send_total_per_destination"
        there = _scope(name, total, "send_all", to.address, refuses="strangers_quietly")
        scopes += [scope._replace(counts=False) for scope in there]
    return scopes


def wrong_scopes(
    settings: AuthSettings,
    destination: str,
    client: IPv4Address | IPv6Address,
    *,
    with_handle: bool,
) -> Sequence[Scope]:
    """Return what one wrong code counts in; nothing without a limit.

    Tries with a challenge handle count apart from those without, and for each client address by
    itself: else a stranger, asking for codes and guessing at them, would use up the owner's tries.
    """
    here = site(client)
    kind, *whose = ("handle", destination, here) if with_handle else ("newest", destination)
    rates = settings.limit_wrong_per_destination
    return (
        *_scope("wrong_per_destination", rates, f"wrong:{kind}", *whose),
        *_scope("wrong_per_ip", settings.limit_wrong_per_ip, "wrong_ip", here),
    )


def login_scopes(
    settings: AuthSettings, name: str, client: IPv4Address | IPv6Address
) -> tuple[Scope, Scope]:
    """Return what one password given for `name` counts in: its failures, and all of the client's.

    By the name as it was given and not by the account: else two names of one account would show
    that they are. By client too: else anybody could lock the owner out.
    """
    here = site(client)
    failures = f"limit:login_failures:{digest(name, here)}"
    return (
        Scope("login_failures", failures, settings.limit_login_failures),
        Scope("login_per_ip", f"limit:login_ip:{digest(here)}", settings.limit_login_per_ip),
    )


def _scope(
    name: str, rates: tuple[Rate, ...], kind: str, *whose: str, refuses: Refuses = "everybody"
) -> Sequence[Scope]:
    """Return the one scope, none when it has no limit: it need not be told to Redis."""
    if not rates:
        return ()
    return (Scope(name, f"limit:{kind}:{digest(*whose)}", rates, refuses),)
