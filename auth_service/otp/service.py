"""Challenges: ask for a code, prove it, give it back. One Lua script for each transition."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import structlog

from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import STREAM, Delivery
from auth_service.destination import Destination
from auth_service.keyring import Keyring
from auth_service.otp.errors import NothingSent, OtpInvalid
from auth_service.otp.model import (
    HANDLE_BYTES,
    Challenge,
    Errand,
    Link,
    Proof,
    Purpose,
    draw_code,
)
from auth_service.settings import AuthSettings
from auth_service.throttle.breaker import BREAKER, Range, watched
from auth_service.throttle.model import Scope, digest, known_key, sent_scopes, wrong_scopes
from auth_service.throttle.service import LIMITS
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy, new_id
from shared.errors import DomainError, RateLimited
from shared.redis import BatchedRedis, Script, lua

log = structlog.get_logger()
Address = IPv4Address | IPv6Address
KNOWN_FOR_MS = 30 * 24 * 3600 * 1000
FINAL = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
SEND = Script.of(LIMITS, BREAKER, lua("auth_service.otp", "send.lua"))
VERIFY = Script.of(LIMITS, BREAKER, lua("auth_service.otp", "verify.lua"))
REDEEM = Script.of(lua("auth_service.otp", "redeem.lua"))
GIVE_BACK = Script.of(lua("auth_service.otp", "give_back.lua"))


class LimitReached(RateLimited):
    """A send limit refuses; the scope says whom."""

    def __init__(self, scope: Scope, wait_ms: int) -> None:
        """Keep which scope is full, and for how long."""
        super().__init__(-(-wait_ms // 1000))
        self.scope = scope


def _send_keys(
    challenge: str, owner: str, known: str, ticket: str, counted: Sequence[str]
) -> list[str]:
    """Return the keys in the order in which `send.lua` takes them."""
    named = f"challenge:{challenge}", f"newest:{owner}", STREAM, known, f"ticket:{ticket}"
    return [*named, *counted]


class Challenges:
    """Codes on their way. State is in Redis alone, so any replica proves what another one sent."""

    def __init__(
        self,
        redis: BatchedRedis,
        keyring: Keyring,
        settings: AuthSettings,
        metrics: DeliveryMetrics,
        *,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Work on `redis` with secrets from `keyring`."""
        self._redis = redis
        self._keyring = keyring
        self._settings = settings
        self._lives = settings.otp_ttl, settings.otp_cooldown
        self._metrics = metrics
        self._clock = clock
        self._entropy = entropy

    async def send(
        self,
        purpose: Purpose,
        destination: Destination,
        client: Address,
        errand: Errand,
        *,
        request_id: str,
        held: bool = False,
        quiet: bool = False,
        link: Link | None = None,
    ) -> Challenge:
        """Store a new code and its delivery; both are durable when this returns.

        `held`: a verified user holds the destination, so that limits which other people's traffic
        fills do not refuse it. `quiet`: they refuse nobody, but what is not held gets no message.

        Raises:
            LimitReached: too many codes; nothing was stored or counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        now = milliseconds(self._clock.now())
        expires_at = now + self._settings.otp_ttl * 1000
        handle, code = self._entropy.bytes(HANDLE_BYTES).hex(), draw_code(self._entropy)
        scopes = sent_scopes(self._settings, destination, client, to=errand.to, quiet=quiet)
        range_ = watched(self._settings, destination, quiet=quiet)
        delivery = self._delivery(errand, destination, code, request_id, link)
        ticket = digest(link.ticket) if link else ""
        challenge, owner = digest(handle), digest(purpose, destination.address)
        known = known_key((errand.to or destination).address, client)
        arguments: list[str | bytes | int] = [
            now,
            expires_at,
            challenge,
            self._macs(purpose, destination, code if errand.real else self._no_code())[0],
            owner,
            delivery.id,
            delivery.sealed(self._keyring) if errand.template else "",
            self._keyring.seal("otp", json.dumps(dict(errand.context)).encode()),
            json.dumps([(scope.refuses, scope.rates, scope.counts) for scope in scopes]),
            int(held),
            ticket,
            range_.refuses,
        ]
        keys = _send_keys(challenge, owner, known, ticket, [*range_.keys, *(s.key for s in scopes)])
        index, outcome, *tripped = await self._redis.run(SEND, keys, arguments)
        if index:
            raise LimitReached((*scopes, range_.scope)[index - 1], outcome)
        self._count(delivery, range_, requested=bool(outcome), tripped=any(tripped))
        return Challenge(handle, destination.channel, *self._lives)

    async def prove(
        self,
        purpose: Purpose,
        destination: Destination,
        code: str,
        handle: str | None,
        client: Address,
    ) -> Proof:
        """Spend the right code; of any number of simultaneous calls one succeeds.

        Without `handle` the destination's newest challenge is meant.

        Raises:
            OtpInvalid: wrong (counted).
            NothingSent: there is no live challenge; nothing is counted.
            RateLimited: too many wrong codes lately.
        """
        receipt = f"spent:{self._entropy.bytes(HANDLE_BYTES).hex()}"
        scopes = wrong_scopes(self._settings, destination.address, client, with_handle=bool(handle))
        owner = digest(purpose, destination.address)
        answer: list[Any] = await self._redis.run(
            VERIFY,
            [
                f"newest:{owner}",
                receipt,
                known_key(destination.address, client),
                watched(self._settings, destination).proven,
                *(scope.key for scope in scopes),
                _void_key(destination.address),
            ],
            [
                milliseconds(self._clock.now()),
                digest(handle) if handle else "",
                owner,
                self._settings.otp_max_attempts,
                json.dumps([scope.rates for scope in scopes]),
                KNOWN_FOR_MS,
                *self._macs(purpose, destination, code),
            ],
        )
        if answer[0] == b"limited":
            raise RateLimited(-(-answer[1] // 1000))
        if answer[0] == b"none":
            raise NothingSent
        if answer[0] != b"right":
            raise OtpInvalid
        self._metrics.count("verified", destination.channel, destination.address)
        return Proof(receipt, self._opened(answer[1]))

    async def redeem(self, ticket: str) -> Proof | None:
        """Spend the challenge whose code was mailed with this ticket; None when there is none."""
        receipt = f"spent:{self._entropy.bytes(HANDLE_BYTES).hex()}"
        now = milliseconds(self._clock.now())
        answer: list[Any] = await self._redis.run(
            REDEEM, [f"ticket:{digest(ticket)}", receipt], [now, digest(ticket)]
        )
        if answer[0] != b"right":
            return None
        return Proof(receipt, self._opened(answer[1]))

    @asynccontextmanager
    async def spending(self, proof: Proof) -> AsyncIterator[None]:
        """Give the code back when the block fails, unless it is the person that is refused."""
        try:
            yield
        except Exception as failed:
            if not (isinstance(failed, DomainError) and failed.status in FINAL):
                await self.give_back(proof)
            raise

    async def void(self, addresses: Iterable[str]) -> None:
        """Make every code worthless that is on its way to one of these, whatever it is for."""
        life = self._settings.otp_ttl * 1000
        until = milliseconds(self._clock.now()) + life
        for address in addresses:
            await self._redis.execute("SET", _void_key(address), until, "PX", life)

    async def give_back(self, proof: Proof) -> None:
        """Make a spent code valid again for the rest of its life."""
        await self._redis.run(GIVE_BACK, [proof.receipt], [])

    def _delivery(
        self,
        errand: Errand,
        destination: Destination,
        code: str,
        request_id: str,
        link: Link | None,
    ) -> Delivery:
        to = errand.to or destination
        minutes = str(self._settings.otp_ttl // 60)
        return Delivery(
            id=str(new_id(self._clock, self._entropy)),
            channel=to.channel,
            to=to.address,
            template=errand.template or "code",
            parameters={"code": code, "minutes": minutes, "link": link.address if link else ""},
            request_id=request_id,
        )

    def _count(self, sent: Delivery, range_: Range, *, requested: bool, tripped: bool) -> None:
        if requested:
            self._metrics.count("requested", sent.channel, sent.to)
        if tripped:
            self._metrics.blocked(sent.to)
            log.warning("number_range.blocked", prefix=range_.prefix)

    def _opened(self, context: bytes) -> dict[str, str]:
        opened: dict[str, str] = json.loads(self._keyring.open("otp", context))
        return opened

    def _no_code(self) -> str:
        """Return what nobody can guess, in place of a code that nothing shall prove."""
        return self._entropy.bytes(HANDLE_BYTES).hex()

    def _macs(self, purpose: Purpose, destination: Destination, code: str) -> list[str]:
        message = f"{purpose}\0{destination.address}\0{code}".encode()
        return [mac.hex() for mac in self._keyring.macs("otp", message)]


def _void_key(address: str) -> str:
    return f"void:{digest(address)}"
