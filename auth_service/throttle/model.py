"""The table of limits: which scope an event counts in, and how often it may happen there.

Every limit of `docs/settings.md` is changed by its setting; what a limit counts is said here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Literal, NamedTuple
from uuid import UUID

from auth_service.client import Client
from auth_service.destination import Channel, Destination
from auth_service.phone import split_country_code
from auth_service.settings import AuthSettings
from shared.limits import Rate

IPV6_SITE_BITS = 64
PREFIX_DIGITS = 3
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SIGN_IN_NOTICES: Mapping[Channel, tuple[Rate, ...]] = {
    "sms": (Rate(3, DAY_MS),),
    "email": (Rate(5, HOUR_MS), Rate(10, DAY_MS)),
}
"""Sign-in notices to one user; those that are left out are counted in the next one."""

Refuses = Literal["everybody", "strangers", "newcomers", "strangers_quietly", "newcomers_quietly"]
"""`strangers`: devices that have not proven the destination. `newcomers`: strangers again, and only
for a number that no verified user holds. `quietly`: they are not told that they get nothing."""


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


def sent_scopes(
    settings: AuthSettings,
    destination: Destination,
    client: Client,
    *,
    known: bool,
    to: Destination | None = None,
    quiet: bool = False,
) -> Sequence[Scope]:
    """Return what one code on its way counts in, the narrowest first; nothing without a limit.

    `known`: the client's device has proven the destination, which gives it counters of its own.
    `to`: where the message goes when `destination` is not an address. It is not counted there,
    where whoever names the address would see it, but in what was named. `quiet`: who is a newcomer
    must not show.
    """
    here, mailbox = site(client.address), destination.mailbox
    asker = _own(client) if known else here
    cooldown = settings.otp_cooldown
    own = (Rate(1, cooldown * 1000),) if cooldown else ()
    total = settings.limit_send_total_per_destination
    strangers: Refuses = "strangers_quietly" if quiet else "strangers"
    newcomers: Refuses = "newcomers_quietly" if quiet else "newcomers"
    per_destination = settings.limit_send_per_destination
    scopes = [
        *_scope("cooldown", own, "cooldown", mailbox, asker),
        *_scope("send_per_destination", per_destination, "send", mailbox, asker),
        *_scope("send_total_per_destination", total, "send_all", mailbox, refuses=strangers),
        *_scope("send_per_ip", settings.limit_send_per_ip, "send_ip", here, refuses="strangers"),
        *_expense_scopes(settings, destination, newcomers),
    ]
    if to:
        name = "send_total_per_destination"
        there = _scope(name, total, "send_all", to.mailbox, refuses="strangers_quietly")
        scopes += [scope._replace(counts=False) for scope in there]
    return scopes


def _expense_scopes(
    settings: AuthSettings, destination: Destination, refuses: Refuses
) -> Sequence[Scope]:
    """Return what bounds the cost of messages: those to a range of numbers, and all together."""
    scopes: list[Scope] = []
    if destination.spendable and (rates := settings.limit_send_per_prefix):
        range_ = prefix(destination.address)
        scopes += _scope("send_per_prefix", rates, "send_prefix", range_, refuses=refuses)
    return [
        *scopes,
        *_scope("send_total", settings.limit_send_total, "send_total", refuses=refuses),
    ]


def notice_scopes(
    settings: AuthSettings, destination: Destination, user_id: UUID, *, about_sign_in: bool
) -> Sequence[Scope]:
    """Return what one notice counts in. It goes to a verified holder, so ranges refuse none."""
    total = settings.limit_send_total_per_destination
    per_user = SIGN_IN_NOTICES[destination.channel] if about_sign_in else ()
    kind = f"sign_in_notice_{destination.channel}"
    return [
        *_scope(kind, per_user, kind, str(user_id)),
        *_scope("send_total_per_destination", total, "send_all", destination.mailbox),
        *_expense_scopes(settings, destination, "newcomers"),
    ]


def wrong_scopes(
    settings: AuthSettings, destination: Destination, client: Client, *, with_handle: bool
) -> Sequence[Scope]:
    """Return what one wrong code counts in; nothing without a limit.

    Tries with a challenge handle count apart from those without, and for each client address by
    itself: else a stranger, asking for codes and guessing at them, would use up the owner's tries.
    """
    here, mailbox = site(client.address), destination.mailbox
    kind, *whose = ("handle", mailbox, here) if with_handle else ("newest", mailbox)
    rates, per_ip = settings.limit_wrong_per_destination, settings.limit_wrong_per_ip
    return (
        *_scope("wrong_per_destination", rates, f"wrong:{kind}", *whose),
        *_scope("wrong_per_ip", per_ip, "wrong_ip", here, refuses="strangers"),
    )


def login_scopes(
    settings: AuthSettings, name: str, client: Client, *, known: bool = False
) -> tuple[Scope, Scope]:
    """Return what one password given for `name` counts in: its failures, and all of the client's.

    By the name as it was given and not by the account: else two names of one account would show
    that they are. By client too: else anybody could lock the owner out. `known`: the client's
    device has proven the name, which gives it counters of its own.
    """
    asker = _own(client) if known else site(client.address)
    failures = f"limit:login_failures:{digest(name, asker)}"
    return (
        Scope("login_failures", failures, settings.limit_login_failures),
        Scope("login_per_ip", f"limit:login_ip:{digest(asker)}", settings.limit_login_per_ip),
    )


def _own(client: Client) -> str:
    """Return what stands for a known device where strangers are counted by their address."""
    return f"device:{(client.device or b'').hex()}"


def _scope(
    name: str, rates: tuple[Rate, ...], kind: str, *whose: str, refuses: Refuses = "everybody"
) -> Sequence[Scope]:
    """Return the one scope, none when it has no limit: it need not be told to Redis."""
    if not rates:
        return ()
    return (Scope(name, f"limit:{kind}:{digest(*whose)}", rates, refuses),)
