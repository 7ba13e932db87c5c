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
IPV6, SITES_OF_NETWORK = 6, 5
"""A network of IPv6 may send so many times what one of its sites may."""
NOTICES: Mapping[Channel, tuple[Rate, ...]] = {
    "sms": (Rate(3, DAY_MS),),
    "email": (Rate(5, HOUR_MS), Rate(10, DAY_MS)),
}
"""Notices of one kind to one user; what is left out is counted in the next sign-in notice."""

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
    quiet: bool,
    queues: bool,
    to: Destination | None = None,
) -> Sequence[Scope]:
    """Return what one code on its way counts in, the narrowest first; nothing without a limit.

    `known`: the client's device has signed in by the destination, which gives it counters of its
    own. `quiet`: who is a newcomer must not show. `queues`: a message is sent unless a limit drops
    it. What sends nothing costs nothing: it counts for the very address, not for the mailbox of its
    owner, nor in the total. `to`: where the message goes when `destination` is a username.
    """
    mailbox = destination.mailbox
    asker = _device_counter(client) if known else site(client.address)
    own = (Rate(1, settings.otp_cooldown * 1000),) if settings.otp_cooldown else ()
    per_destination = settings.limit_send_per_destination
    return [
        *limit_scope("cooldown", own, "cooldown", mailbox, asker),
        *limit_scope("send_per_destination", per_destination, "send", mailbox, asker),
        *_total_scopes(settings, destination, quiet=quiet, queues=queues),
        *_client_scopes(settings, client),
        *_expense_scopes(settings, destination, quiet=quiet, counts=queues),
        *(_hidden_scopes(settings, to) if to else ()),
    ]


def _total_scopes(
    settings: AuthSettings, destination: Destination, *, quiet: bool, queues: bool
) -> Sequence[Scope]:
    """Return what bounds the codes for a destination, whoever asks for them."""
    name, rates = "send_total_per_destination", settings.limit_send_total_per_destination
    refuses: Refuses = "strangers_quietly" if quiet else "strangers"
    whole = limit_scope(name, rates, "send_all", destination.mailbox, refuses=refuses)
    if destination.mailbox == destination.address:
        return whole
    exact = limit_scope(name, rates, "send_all", destination.address, refuses=refuses)
    return [*exact, *(scope._replace(counts=queues) for scope in whole)]


def _client_scopes(settings: AuthSettings, client: Client) -> Sequence[Scope]:
    """Return what bounds one client; an IPv6 network has more sites than can be counted apart."""
    name, rates = "send_per_ip", settings.limit_send_per_ip
    scopes = [*limit_scope(name, rates, "send_ip", site(client.address), refuses="strangers")]
    if client.address.version == IPV6:
        wide = tuple(Rate(rate.most * SITES_OF_NETWORK, rate.window_ms) for rate in rates)
        network = str(client.network)
        scopes += limit_scope(name, wide, "send_network", network, refuses="strangers")
    return scopes


def _expense_scopes(
    settings: AuthSettings, destination: Destination, *, quiet: bool, counts: bool = True
) -> Sequence[Scope]:
    """Return what bounds the cost of messages: those to a range of numbers, and all together."""
    refuses: Refuses = "newcomers_quietly" if quiet else "newcomers"
    scopes: list[Scope] = []
    if destination.spendable and (rates := settings.limit_send_per_prefix):
        range_ = prefix(destination.address)
        scopes += limit_scope("send_per_prefix", rates, "send_prefix", range_, refuses=refuses)
    total = limit_scope("send_total", settings.limit_send_total, "send_total", refuses=refuses)
    return [*scopes, *(scope._replace(counts=counts) for scope in total)]


def _hidden_scopes(settings: AuthSettings, to: Destination) -> Sequence[Scope]:
    """Return what a message counts in that a username's holder gets.

    A full limit of the address drops it too. It is not counted there: whoever names both would see
    that they belong together.
    """
    name, rates = "send_total_per_destination", settings.limit_send_total_per_destination
    refuses: Refuses = "strangers_quietly"
    address = limit_scope(name, rates, "send_all", to.mailbox, refuses=refuses)
    return [
        *(scope._replace(counts=False) for scope in address),
        *limit_scope(name, rates, "send_named", to.mailbox, refuses=refuses),
        *_expense_scopes(settings, to, quiet=True),
    ]


def notice_scopes(
    settings: AuthSettings, destination: Destination, user_id: UUID, template: str
) -> Sequence[Scope]:
    """Return what one notice counts in.

    Only the user's own limit refuses: strangers who fill the others must not keep a notice back.
    """
    kind = f"notice_{destination.channel}"
    rates = NOTICES[destination.channel]
    total = settings.limit_send_total_per_destination
    return [
        *limit_scope(kind, rates, kind, str(user_id), template),
        *limit_scope("send_total_per_destination", total, "send_all", destination.mailbox),
        *_expense_scopes(settings, destination, quiet=False),
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
        *limit_scope("wrong_per_destination", rates, f"wrong:{kind}", *whose),
        *limit_scope("wrong_per_ip", per_ip, "wrong_ip", here, refuses="strangers"),
    )


def login_scopes(
    settings: AuthSettings, name: str, client: Client, *, known: bool = False
) -> tuple[Scope, Scope]:
    """Return what one password given for `name` counts in: its failures, and all of the client's.

    By the name as it was given and not by the account: else two names of one account would show
    that they are. By client too: else anybody could lock the owner out. `known`: the client's
    device has signed in by the name, which gives it counters of its own.
    """
    return _password_scopes(
        settings, name, _device_counter(client) if known else site(client.address)
    )


def own_password_scopes(settings: AuthSettings, session_id: UUID) -> tuple[Scope, Scope]:
    """Return what a password counts in that a signed-in user gives: the session's own counters."""
    return _password_scopes(settings, "own", f"session:{session_id}")


def _password_scopes(settings: AuthSettings, name: str, asker: str) -> tuple[Scope, Scope]:
    failures = f"limit:login_failures:{digest(name, asker)}"
    return (
        Scope("login_failures", failures, settings.limit_login_failures),
        Scope("login_per_ip", f"limit:login_ip:{digest(asker)}", settings.limit_login_per_ip),
    )


def _device_counter(client: Client) -> str:
    """Return what stands for a known device where strangers are counted by their address."""
    return f"device:{(client.device or b'').hex()}"


def limit_scope(
    name: str, rates: tuple[Rate, ...], kind: str, *whose: str, refuses: Refuses = "everybody"
) -> Sequence[Scope]:
    """Return one scope, or none when it has no limit, which spares Redis the look."""
    if not rates:
        return ()
    return (Scope(name, f"limit:{kind}:{digest(*whose)}", rates, refuses),)
