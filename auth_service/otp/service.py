"""Challenges: ask for a code, prove it, give it back. One Lua script for each transition."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import STREAM, Delivery
from auth_service.keyring import Keyring
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import HANDLE_BYTES, Challenge, Proof, Purpose, draw_code
from auth_service.settings import AuthSettings
from auth_service.throttle.model import Scope, digest, known_key, send_scopes, wrong_scopes
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy, new_id
from shared.errors import RateLimited
from shared.redis import BatchedRedis, Script, lua

Address = IPv4Address | IPv6Address
KNOWN_FOR_MS = 30 * 24 * 3600 * 1000
LIMITS = lua("auth_service.throttle", "limits.lua")
SEND = Script.of(LIMITS, lua("auth_service.otp", "send.lua"))
VERIFY = Script.of(LIMITS, lua("auth_service.otp", "verify.lua"))
GIVE_BACK = Script.of(lua("auth_service.otp", "give_back.lua"))


class LimitReached(RateLimited):
    """A send limit refuses; the scope says whom."""

    def __init__(self, scope: Scope, wait_ms: int) -> None:
        """Keep which scope is full, and for how long."""
        super().__init__(-(-wait_ms // 1000))
        self.scope = scope


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
        self._metrics = metrics
        self._clock = clock
        self._entropy = entropy

    async def send(
        self,
        purpose: Purpose,
        destination: str,
        client: Address,
        *,
        request_id: str,
        context: Mapping[str, str],
        held: bool = False,
    ) -> Challenge:
        """Store a new code and its delivery; both are durable when this returns.

        `context` comes back with the proof. `held`: a verified user holds the destination, so
        that limits which other people's traffic fills do not refuse it.

        Raises:
            LimitReached: too many codes; nothing was stored or counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        now = milliseconds(self._clock.now())
        expires_at = now + self._settings.otp_ttl * 1000
        handle, code = self._entropy.bytes(HANDLE_BYTES).hex(), draw_code(self._entropy)
        scopes = send_scopes(self._settings, destination, client)
        delivery = self._delivery(destination, code, request_id)
        index, wait = await self._redis.run(
            SEND,
            [
                f"challenge:{digest(handle)}",
                f"newest:{digest(purpose, destination)}",
                STREAM,
                known_key(destination, client),
                *(scope.key for scope in scopes),
            ],
            [
                now,
                expires_at,
                digest(handle),
                self._mac(purpose, destination, code),
                digest(purpose, destination),
                delivery.id,
                delivery.sealed(self._keyring),
                self._keyring.seal("otp", json.dumps(dict(context)).encode()),
                json.dumps([[scope.refuses, scope.packed()] for scope in scopes]),
                int(held),
            ],
        )
        if index:
            raise LimitReached(scopes[index - 1], wait)
        self._metrics.count("requested", "sms", destination)
        return Challenge(handle, "sms", self._settings.otp_ttl, self._settings.otp_cooldown)

    async def prove(
        self, purpose: Purpose, destination: str, code: str, handle: str | None, client: Address
    ) -> Proof:
        """Spend the right code; of any number of simultaneous calls one succeeds.

        Without `handle` the destination's newest challenge is meant.

        Raises:
            OtpInvalid: wrong (counted), or no live challenge (nothing counted).
            RateLimited: too many wrong codes lately.
        """
        receipt = f"spent:{self._entropy.bytes(HANDLE_BYTES).hex()}"
        scopes = wrong_scopes(self._settings, destination, client, with_handle=bool(handle))
        answer: list[Any] = await self._redis.run(
            VERIFY,
            [
                f"newest:{digest(purpose, destination)}",
                receipt,
                known_key(destination, client),
                *(scope.key for scope in scopes),
            ],
            [
                milliseconds(self._clock.now()),
                digest(handle) if handle else "",
                digest(purpose, destination),
                self._settings.otp_max_attempts,
                json.dumps([scope.packed() for scope in scopes]),
                KNOWN_FOR_MS,
                *self._macs(purpose, destination, code),
            ],
        )
        if answer[0] == b"limited":
            raise RateLimited(-(-answer[1] // 1000))
        if answer[0] != b"right":
            raise OtpInvalid
        self._metrics.count("verified", "sms", destination)
        return Proof(destination, receipt, json.loads(self._keyring.open("otp", answer[1])))

    async def give_back(self, proof: Proof) -> None:
        """Make a spent code valid again for the rest of its life."""
        await self._redis.run(GIVE_BACK, [proof.receipt], [])

    def _delivery(self, destination: str, code: str, request_id: str) -> Delivery:
        minutes = str(self._settings.otp_ttl // 60)
        return Delivery(
            id=str(new_id(self._clock, self._entropy)),
            channel="sms",
            to=destination,
            template="code",
            parameters={"code": code, "minutes": minutes},
            request_id=request_id,
        )

    def _mac(self, purpose: Purpose, destination: str, code: str) -> str:
        return self._macs(purpose, destination, code)[0]

    def _macs(self, purpose: Purpose, destination: str, code: str) -> list[str]:
        message = f"{purpose}\0{destination}\0{code}".encode()
        return [mac.hex() for mac in self._keyring.macs("otp", message)]
