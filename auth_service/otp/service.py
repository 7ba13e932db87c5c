"""Challenges: ask for a code, prove it, give it back. One Lua script for each transition."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog

from auth_service.client import Client
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import STREAM, Delivery
from auth_service.destination import Destination
from auth_service.device.service import KNOWN, KnownDevices, devices_key
from auth_service.keyring import Keyring
from auth_service.otp.errors import NothingSent, OtpInvalid
from auth_service.otp.funnel import FUNNEL, CodeFunnel
from auth_service.otp.invalidation import void_key
from auth_service.otp.model import (
    HANDLE_BYTES,
    Challenge,
    Errand,
    Link,
    Proof,
    Purpose,
    draw_code,
)
from auth_service.rate_limit.breaker import BREAKER, Range
from auth_service.rate_limit.model import digest, wrong_scopes
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.send_limits import send_limits
from auth_service.rate_limit.service import LIMITS
from auth_service.settings import AuthSettings
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy, new_id
from shared.errors import DomainError, RateLimited
from shared.redis import BatchedRedis, Script, lua

log = structlog.get_logger()
ASKED_AT = "asked_at"
FINAL = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
VOID = lua("auth_service.otp", "is_invalidated.lua")
SEND = Script.of(LIMITS, BREAKER, FUNNEL, lua("auth_service.otp", "send.lua"))
VERIFY = Script.of(LIMITS, BREAKER, KNOWN, FUNNEL, VOID, lua("auth_service.otp", "verify.lua"))
REDEEM = Script.of(VOID, lua("auth_service.otp", "redeem.lua"))
GIVE_BACK = Script.of(FUNNEL, lua("auth_service.otp", "restore.lua"))


class Challenges:
    """Codes on their way. State is in Redis alone, so any replica proves what another one sent."""

    def __init__(
        self,
        redis: BatchedRedis,
        keyring: Keyring,
        settings: AuthSettings,
        metrics: DeliveryMetrics,
        *,
        devices: KnownDevices,
        work: ProofOfWork,
        funnel: CodeFunnel,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Work on `redis` with secrets from `keyring`."""
        self._redis = redis
        self._keyring = keyring
        self._settings = settings
        self._lives = settings.otp_ttl, settings.otp_cooldown
        self._metrics = metrics
        self._devices = devices
        self._work = work
        self._funnel = funnel
        self._clock = clock
        self._entropy = entropy

    async def send(
        self,
        purpose: Purpose,
        destination: Destination,
        client: Client,
        errand: Errand,
        *,
        held: bool = False,
        quiet: bool = False,
        link: Link | None = None,
    ) -> Challenge:
        """Store a new code and its delivery; both are durable when this returns.

        `held`: a verified user holds the destination, so that limits which other people's traffic
        fills do not refuse it. `quiet`: they refuse nobody, but what is not held gets no message,
        and no code exists then.

        Raises:
            LimitReached: too many codes; nothing was stored or counted.
            ProofRequired: a proof of work has to come with the request; likewise.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        limits = send_limits(
            self._settings,
            destination,
            client,
            known=await self._devices.knows(destination.address, client.device),
            held=held,
            quiet=quiet,
            queues=errand.template is not None,
            to=errand.to,
            signed_in=purpose == "step_up",
        )
        handle, code = self._entropy.bytes(HANDLE_BYTES).hex(), draw_code(self._entropy)
        delivery = self._delivery(errand, destination, code, client.request_id, link)
        ticket = digest(link.ticket) if link else ""
        sealed = delivery.sealed(self._keyring) if errand.template else ""
        keys, arguments = self._challenge_fields(purpose, destination, errand, handle, code)
        outcome, *numbers = await self._redis.run(
            SEND,
            [*keys, f"ticket:{ticket}", self._funnel.key(), *limits.keys],
            [*arguments, ticket, delivery.id, sealed, *limits.arguments],
        )
        if outcome == b"limited":
            raise limits.refusal(*numbers)
        if outcome == b"proof":
            raise self._work.require(*numbers, again=client.sent_solution)
        queued, tripped = map(bool, numbers)
        self._count(delivery, limits.range, requested=queued, tripped=tripped)
        return Challenge(handle, destination.channel, *self._lives)

    async def prove(
        self,
        purpose: Purpose,
        destination: Destination,
        code: str,
        handle: str | None,
        client: Client,
    ) -> Proof:
        """Spend the right code; of any number of simultaneous calls one succeeds.

        Without `handle` the destination's newest challenge is meant. A right code with its handle
        is never refused for wrong ones.

        Raises:
            OtpInvalid: wrong (counted).
            NothingSent: there is no live challenge; nothing is counted.
            RateLimited: too many wrong codes lately.
        """
        receipt = f"spent:{self._entropy.bytes(HANDLE_BYTES).hex()}"
        scopes = wrong_scopes(self._settings, destination, client, with_handle=bool(handle))
        owner = digest(purpose, destination.address)
        keys = [
            f"newest:{owner}",
            f"queued:{owner}",
            receipt,
            devices_key(destination.address),
            void_key(destination.address),
            self._funnel.key(),
            *(scope.key for scope in scopes),
        ]
        arguments: list[str | bytes | int] = [
            milliseconds(self._clock.now()),
            digest(handle) if handle else "",
            owner,
            self._settings.otp_max_attempts,
            client.device or "",
            json.dumps([(scope.refuses, scope.rates) for scope in scopes]),
            *self._macs(purpose, destination, code),
        ]
        answer: list[Any] = await self._redis.run(VERIFY, keys, arguments)
        self._funnel.count(answer[0])
        if answer[0] == b"limited":
            raise RateLimited(-(-answer[1] // 1000))
        if answer[0] == b"none":
            raise NothingSent
        if answer[0] != b"right":
            raise OtpInvalid
        self._metrics.count("verified", destination.channel, destination.address)
        return self._proof(receipt, answer[1])

    async def redeem(self, ticket: str) -> Proof | None:
        """Spend the challenge whose code was mailed with this ticket; None when there is none."""
        receipt = f"spent:{self._entropy.bytes(HANDLE_BYTES).hex()}"
        now = milliseconds(self._clock.now())
        answer: list[Any] = await self._redis.run(
            REDEEM, [f"ticket:{digest(ticket)}", receipt], [now, digest(ticket)]
        )
        if answer[0] != b"right":
            return None
        return self._proof(receipt, answer[1])

    @asynccontextmanager
    async def spending(self, proof: Proof) -> AsyncIterator[None]:
        """Give the code back when the block fails, unless it is the person that is refused."""
        try:
            yield
        except Exception as failed:
            if not (isinstance(failed, DomainError) and failed.status in FINAL):
                await self.give_back(proof)
            raise

    async def give_back(self, proof: Proof) -> None:
        """Make a spent code valid again for the rest of its life."""
        await self._redis.run(GIVE_BACK, [proof.receipt], [])

    def _challenge_fields(
        self, purpose: Purpose, destination: Destination, errand: Errand, handle: str, code: str
    ) -> tuple[list[str], list[str | bytes | int]]:
        """Return the keys of a new challenge, and its fields as `send.lua` takes them."""
        owner, now = digest(purpose, destination.address), milliseconds(self._clock.now())
        right = self._macs(purpose, destination, code)[0]
        keys = [f"challenge:{digest(handle)}", f"newest:{owner}", f"queued:{owner}", STREAM]
        return keys, [
            now,
            now + self._settings.otp_ttl * 1000,
            digest(handle),
            right if errand.real else self._no_code(),
            self._no_code(),
            owner,
            void_key(destination.address),
            self._sealed(errand.context, now),
        ]

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

    def _sealed(self, context: Mapping[str, str], now: int) -> bytes:
        return self._keyring.seal("otp", json.dumps({**context, ASKED_AT: str(now)}).encode())

    def _proof(self, receipt: str, sealed: bytes) -> Proof:
        context: dict[str, str] = json.loads(self._keyring.open("otp", sealed))
        asked_at = context.pop(ASKED_AT, None)  # the release before did not note it
        moment = datetime.fromtimestamp(int(asked_at) / 1000, UTC) if asked_at else None
        return Proof(receipt, context, moment)

    def _no_code(self) -> str:
        """Return what nobody can guess, in place of a code that nothing shall prove."""
        return self._entropy.bytes(HANDLE_BYTES).hex()

    def _macs(self, purpose: Purpose, destination: Destination, code: str) -> list[str]:
        message = f"{purpose}\0{destination.address}\0{code}".encode()
        return [mac.hex() for mac in self._keyring.macs("otp", message)]
