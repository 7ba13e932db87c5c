"""The rate limits: the scopes that an event counts in, and how often it may happen in each.

A setting of `docs/settings.md` changes a limit's number; this module says what the limit counts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Literal, NamedTuple
from uuid import UUID

from auth_service.client import Client
from auth_service.destination import Channel, Destination
from auth_service.phone import split_country_code
from auth_service.rate_limit.errors import COOLDOWN
from auth_service.settings import AuthSettings
from shared.limits import Rate

IPV6_CLIENT_BITS = 64
PREFIX_DIGITS = 3
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
IPV6, CLIENTS_OF_NETWORK = 6, 5
"""An IPv6 network may send this many times what one of its clients may."""
NOTICE_RATES: Mapping[Channel, tuple[Rate, ...]] = {
    "sms": (Rate(3, DAY_MS),),
    "email": (Rate(5, HOUR_MS), Rate(10, DAY_MS)),
}
"""Notices of one kind to one user; the next sign-in notice says how many were left out."""

TOTP_RATES = (Rate(20, DAY_MS),)
"""Codes of a user's authenticator: each matches one of three numbers of a million."""

PASSKEY_OPTIONS_RATES = (Rate(3000, 300_000),)
"""Challenges for passkeys to one network, in the life of one: sign-in pages ask as they open."""
TICKET_OPTIONS_RATES = (Rate(30, 300_000),)
"""Challenges for the passkeys of a user whose first factor was right: one for each of few tries."""

SETTINGS_OF_KINDS: Mapping[str, str] = {
    "cooldown": COOLDOWN,
    "send": "LIMIT_SEND_PER_DESTINATION",
    "send_all": "LIMIT_SEND_TOTAL_PER_DESTINATION",
    "send_named": "LIMIT_SEND_TOTAL_PER_DESTINATION",
    "send_ip": "LIMIT_SEND_PER_IP",
    "send_network": "LIMIT_SEND_PER_IP",
    "send_prefix": "LIMIT_SEND_PER_PREFIX",
    "wrong": "LIMIT_WRONG_PER_DESTINATION",
    "wrong_ip": "LIMIT_WRONG_PER_IP",
    "login_ip": "LIMIT_LOGIN_PER_IP",
    "sign_out_others": "sign_out_others",
    "totp": "totp",
    "passkey_options": "passkey_options",
}
"""The settings of the counters whose keys have other names; the last three have no setting."""

AppliesTo = Literal[
    "everyone",
    "unknown_devices",
    "new_contacts",
    "unknown_devices_silently",
    "new_contacts_silently",
]
"""`unknown_devices`: devices that have not proven the destination. `new_contacts`: the same, at a
destination without a verified owner. `silently`: the message is dropped without an error."""


class Scope(NamedTuple):
    """One counter in Redis, and the requests that it refuses when it is full.

    `counts`: whether an accepted request is counted in it.
    """

    key: str
    rates: tuple[Rate, ...]
    applies_to: AppliesTo = "everyone"
    counts: bool = True

    @property
    def setting(self) -> str:
        """Return the setting that holds its number; the counter's own name where none does."""
        kind = self.key.split(":")[1]
        return SETTINGS_OF_KINDS.get(kind, f"LIMIT_{kind.upper()}")


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One code that a client requests, and the facts that decide which limits apply.

    `is_known_device`: the client's device has signed in by the destination and has counters of its
    own. `has_verified_owner`: the destination is a user's verified address. `conceal`: the answer
    must not show whether it is. `queues`: a message is sent unless a limit drops it. `to`: where
    the message goes when `destination` is a username.
    """

    destination: Destination
    client: Client
    is_known_device: bool
    has_verified_owner: bool
    conceal: bool
    queues: bool
    to: Destination | None


def key_digest(*parts: str) -> str:
    """Return a hash of the parts for use in a Redis key, the same in every replica.

    It is not an HMAC, because replicas share it while secrets rotate.
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def client_network(address: IPv4Address | IPv6Address) -> str:
    """Return the network that counts as one client: an IPv4 address, or an IPv6 /64."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_CLIENT_BITS), strict=False))
    return str(address)


def number_prefix(phone_number: str) -> str:
    """Return country code and next three digits: SMS pumping rents number ranges of this size."""
    country_code, digits = split_country_code(phone_number)
    return f"{country_code}-{digits[:PREFIX_DIGITS]}"


def send_scopes(settings: AuthSettings, request: SendRequest) -> Sequence[Scope]:
    """Return the scopes of one code, the narrowest first; none without a limit.

    A request without a message counts for the exact address alone, not for its mailbox, nor in the
    total.
    """
    destination, client, conceal = request.destination, request.client, request.conceal
    mailbox = destination.mailbox
    client_key = _device_key(client) if request.is_known_device else client_network(client.address)
    own = (Rate(1, settings.otp_cooldown * 1000),) if settings.otp_cooldown else ()
    return [
        *optional_scope(own, "cooldown", mailbox, client_key),
        *optional_scope(settings.limit_send_per_destination, "send", mailbox, client_key),
        *_destination_scopes(settings, destination, conceal=conceal, queues=request.queues),
        *_client_scopes(settings, client),
        *_cost_scopes(settings, destination, conceal=conceal, counts=request.queues),
        *(_recipient_scopes(settings, request.to) if request.to else ()),
    ]


def _destination_scopes(
    settings: AuthSettings, destination: Destination, *, conceal: bool, queues: bool
) -> Sequence[Scope]:
    """Return the limit on codes for a destination from all clients together."""
    rates, kind = settings.limit_send_total_per_destination, "send_all"
    applies_to: AppliesTo = "unknown_devices_silently" if conceal else "unknown_devices"
    mailbox, address = destination.mailbox, destination.address
    exact = optional_scope(rates, kind, address, applies_to=applies_to)
    if mailbox == address:
        return exact
    return [*exact, *optional_scope(rates, kind, mailbox, applies_to=applies_to, counts=queues)]


def _client_scopes(settings: AuthSettings, client: Client) -> Sequence[Scope]:
    """Return the limits on one client; an IPv6 network has too many clients to count each apart."""
    rates, address = settings.limit_send_per_ip, client_network(client.address)
    scopes = [*optional_scope(rates, "send_ip", address, applies_to="unknown_devices")]
    if client.address.version == IPV6:
        wide = tuple(Rate(rate.max_events * CLIENTS_OF_NETWORK, rate.window_ms) for rate in rates)
        network = str(client.network)
        scopes += optional_scope(wide, "send_network", network, applies_to="unknown_devices")
    return scopes


def _cost_scopes(
    settings: AuthSettings, destination: Destination, *, conceal: bool, counts: bool = True
) -> Sequence[Scope]:
    """Return the limits on cost: messages to one range of numbers, and all messages."""
    applies_to: AppliesTo = "new_contacts_silently" if conceal else "new_contacts"
    scopes: list[Scope] = []
    if destination.costs_money and (rates := settings.limit_send_per_prefix):
        range_ = number_prefix(destination.address)
        scopes += optional_scope(rates, "send_prefix", range_, applies_to=applies_to)
    total = settings.limit_send_total
    return [*scopes, *optional_scope(total, "send_total", applies_to=applies_to, counts=counts)]


def _recipient_scopes(settings: AuthSettings, to: Destination) -> Sequence[Scope]:
    """Return the scopes of a message to the address behind a username.

    A full limit of the address drops the message too. The message is not counted there: a client
    that tries both would see that they belong together.
    """
    rates = settings.limit_send_total_per_destination
    applies_to: AppliesTo = "unknown_devices_silently"
    return [
        *optional_scope(rates, "send_all", to.mailbox, applies_to=applies_to, counts=False),
        *optional_scope(rates, "send_named", to.mailbox, applies_to=applies_to),
        *_cost_scopes(settings, to, conceal=True),
    ]


def notice_scopes(
    settings: AuthSettings, destination: Destination, user_id: UUID, template: str
) -> Sequence[Scope]:
    """Return the scopes of one notice.

    Only the user's own limit refuses: other people's traffic must not keep a notice back.
    """
    channel, total = destination.channel, settings.limit_send_total_per_destination
    return [
        *optional_scope(NOTICE_RATES[channel], f"notice_{channel}", str(user_id), template),
        *optional_scope(total, "send_all", destination.mailbox),
        *_cost_scopes(settings, destination, conceal=False),
    ]


def wrong_code_scopes(
    settings: AuthSettings, destination: Destination, client: Client, *, with_handle: bool
) -> Sequence[Scope]:
    """Return the scopes of one wrong code; none without a limit.

    Tries with a challenge handle count apart from those without, and separately for each client
    address: else a third party who requests and guesses codes would use up the owner's tries.
    """
    network, mailbox = client_network(client.address), destination.mailbox
    kind, *whose = ("handle", mailbox, network) if with_handle else ("newest", mailbox)
    rates, per_ip = settings.limit_wrong_per_destination, settings.limit_wrong_per_ip
    return (
        *optional_scope(rates, f"wrong:{kind}", *whose),
        *optional_scope(per_ip, "wrong_ip", network, applies_to="unknown_devices"),
    )


def login_scopes(
    settings: AuthSettings, name: str, client: Client, *, is_known_device: bool = False
) -> tuple[Scope, Scope]:
    """Return the scopes of one password for `name`: the name's failures, and all of the client's.

    They count by the name as given, not by the account: else two names of one account would show
    that they belong together. They count by client too: else any client could lock the owner out.
    `is_known_device`: the client's device has signed in by the name and has counters of its own.
    """
    return _password_scopes(
        settings,
        name,
        _device_key(client) if is_known_device else client_network(client.address),
    )


def own_password_scopes(settings: AuthSettings, session_id: UUID) -> tuple[Scope, Scope]:
    """Return the scopes of a password that a signed-in user gives: the session's own counters."""
    return _password_scopes(settings, "own", f"session:{session_id}")


def totp_scope(user_id: UUID, device: bytes | None) -> Scope:
    """Return the scope of one TOTP code: a known device's, or that of all others together.

    An attacker with the password can fill the others' alone, and no other method has a limit. A
    device has one scope in all its sessions: else each sign-in would bring another budget.
    """
    client_key = f"device:{device.hex()}" if device else ""
    return Scope(f"limit:totp:{key_digest(str(user_id), client_key)}", TOTP_RATES)


def passkey_options_scope(client: Client) -> Scope:
    """Return the scope of one challenge for a passkey (IPv4 /24, IPv6 /48): each takes memory."""
    return Scope(f"limit:passkey_options:{key_digest(str(client.network))}", PASSKEY_OPTIONS_RATES)


def ticket_options_scope(ticket_hash: bytes) -> Scope:
    """Return the scope of one challenge in a second step: strangers nearby cannot keep it out."""
    return Scope(f"limit:passkey_options:{key_digest(ticket_hash.hex())}", TICKET_OPTIONS_RATES)


def _password_scopes(settings: AuthSettings, name: str, client_key: str) -> tuple[Scope, Scope]:
    failures = f"limit:login_failures:{key_digest(name, client_key)}"
    per_client = f"limit:login_ip:{key_digest(client_key)}"
    return (
        Scope(failures, settings.limit_login_failures),
        Scope(per_client, settings.limit_login_per_ip),
    )


def _device_key(client: Client) -> str:
    """Return the counter key of a known device; unknown devices are counted by their address."""
    return f"device:{(client.device or b'').hex()}"


def optional_scope(
    rates: tuple[Rate, ...],
    kind: str,
    *whose: str,
    applies_to: AppliesTo = "everyone",
    counts: bool = True,
) -> Sequence[Scope]:
    """Return one scope, or none when it has no limit, which saves a look-up in Redis."""
    if not rates:
        return ()
    return (Scope(f"limit:{kind}:{key_digest(*whose)}", rates, applies_to, counts),)
