"""Challenges: send a code, verify it, restore it. Each transition is one Lua script."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from auth_service.client import Client
from auth_service.delivery.model import LANGUAGES, STREAM, Delivery
from auth_service.destination import Destination
from auth_service.device.service import KNOWN_DEVICES, devices_key
from auth_service.keyring import Keyring
from auth_service.otp.code_source import CodeSource
from auth_service.otp.errors import NoActiveChallenge, OtpInvalid
from auth_service.otp.funnel import FUNNEL, CodeFunnel
from auth_service.otp.invalidation import invalidated_before_key
from auth_service.otp.model import (
    Challenge,
    ChallengeMessage,
    Purpose,
    VerifiedChallenge,
)
from auth_service.otp.send_limiter import SendLimiter
from auth_service.rate_limit.breaker import BREAKER
from auth_service.rate_limit.model import Scope, key_digest, wrong_code_scopes
from auth_service.rate_limit.service import LIMITS
from auth_service.settings import AuthSettings
from shared.clock import Clock, milliseconds
from shared.entropy import new_id
from shared.errors import DomainError, RateLimited
from shared.redis import BatchedRedis, Script, read_lua

ASKED_AT = "asked_at"
TEST_CODE = "test_code"
FINAL_STATUSES = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
IS_INVALIDATED = read_lua("auth_service.otp", "is_invalidated.lua")
SEND = Script.from_sources(LIMITS, BREAKER, FUNNEL, read_lua("auth_service.otp", "send.lua"))
VERIFY = Script.from_sources(
    LIMITS,
    BREAKER,
    KNOWN_DEVICES,
    FUNNEL,
    IS_INVALIDATED,
    read_lua("auth_service.otp", "verify.lua"),
)
REDEEM = Script.from_sources(IS_INVALIDATED, read_lua("auth_service.otp", "redeem.lua"))
RESTORE = Script.from_sources(read_lua("auth_service.otp", "restore.lua"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpChallenges:
    """Sends and verifies codes. State is in Redis alone, so any replica verifies any code."""

    redis: BatchedRedis
    keyring: Keyring
    settings: AuthSettings
    limiter: SendLimiter
    funnel: CodeFunnel
    codes: CodeSource
    clock: Clock

    async def send(
        self,
        purpose: Purpose,
        destination: Destination,
        client: Client,
        message: ChallengeMessage,
    ) -> Challenge:
        """Store a new code and its delivery; both are durable when this returns.

        Where the answer conceals whether there is an account, limits that other people's traffic
        fills raise no error. Without a verified owner they drop the message, and no code exists.

        Raises:
            LimitReached: too many codes; nothing was stored or counted.
            ProofRequired: a proof of work has to come with the request; likewise.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        limits = await self.limiter.find_limits(purpose, destination, client, message)
        code, is_fixed = self.codes.code_for(message.to or destination)
        is_test = is_fixed and message.template is not None
        delivery = self._build_delivery(message, destination, code, client)
        handle = message.handle or self.codes.draw_handle()
        ticket = key_digest(message.link.ticket) if message.link and message.link.ticket else ""
        sealed = delivery.seal(self.keyring) if message.template and not is_test else ""
        keys, record = self._challenge_record(purpose, destination, message, handle, code)
        record |= {"ticket": ticket, "delivery_id": delivery.id, "is_test": is_test}
        record |= limits.arguments
        outcome, *numbers = await self.redis.run(
            SEND,
            [*keys, f"ticket:{ticket}", self.funnel.bucket_key(), *limits.keys],
            [json.dumps(record), self._seal_context(message.context, record), sealed],
        )
        if refusal := self.limiter.refusal(limits, outcome, numbers):
            raise refusal
        queued, blocked = map(bool, numbers)
        if queued and sealed:
            self.funnel.count_requested(delivery)
        if blocked:
            self.funnel.count_blocked_range(delivery, limits.number_range)
        settings = self.settings
        return Challenge(handle, destination.channel, settings.otp_ttl, settings.otp_cooldown)

    async def verify(
        self,
        purpose: Purpose,
        destination: Destination,
        code: str,
        handle: str | None,
        client: Client,
    ) -> VerifiedChallenge:
        """Consume the challenge if the code is right; of concurrent calls one succeeds.

        Without `handle` it is the destination's newest challenge. A right code with its handle is
        accepted even when the limit of wrong codes is full.

        Raises:
            OtpInvalid: wrong (counted).
            NoActiveChallenge: no challenge is active; nothing is counted.
            RateLimited: too many wrong codes lately.
        """
        receipt = f"spent:{self.codes.draw_handle()}"
        scopes = wrong_code_scopes(self.settings, destination, client, with_handle=bool(handle))
        owner = key_digest(purpose, destination.address)
        keys = [
            f"newest:{owner}",
            f"queued:{owner}",
            receipt,
            devices_key(destination.address),
            invalidated_before_key(destination.address),
            self.funnel.bucket_key(),
            *(scope.key for scope in scopes),
        ]
        code_try = {
            "now": milliseconds(self.clock.now()),
            "handle": key_digest(handle) if handle else "",
            "destination": owner,
            "max_attempts": self.settings.otp_max_attempts,
            "macs": self._code_macs(purpose, destination, code),
            "scopes": [(scope.applies_to, scope.rates) for scope in scopes],
        }
        arguments = [json.dumps(code_try), client.device or ""]
        answer: list[Any] = await self.redis.run(VERIFY, keys, arguments)
        self.funnel.count_result(answer[0])
        _require_right_code(answer, scopes)
        self.funnel.count_verified(destination)
        verified = self._unseal(receipt, answer[1])
        if verified.is_test:
            async with self.restore_on_failure(verified):
                await self.codes.record_test_code(purpose, destination, client)
        return verified

    async def redeem_ticket(self, ticket: str) -> VerifiedChallenge | None:
        """Consume the challenge whose code was mailed with this ticket; None without one."""
        receipt = f"spent:{self.codes.draw_handle()}"
        now = milliseconds(self.clock.now())
        answer: list[Any] = await self.redis.run(
            REDEEM, [f"ticket:{key_digest(ticket)}", receipt], [now, key_digest(ticket)]
        )
        if answer[0] != b"right":
            return None
        return self._unseal(receipt, answer[1])

    @asynccontextmanager
    async def restore_on_failure(self, challenge: VerifiedChallenge) -> AsyncIterator[None]:
        """Restore the challenge when the block fails, unless it ends in a 401 or 403."""
        try:
            yield
        except Exception as failed:
            if not (isinstance(failed, DomainError) and failed.status in FINAL_STATUSES):
                await self.redis.run(RESTORE, [challenge.receipt], [])
            raise

    def _challenge_record(
        self,
        purpose: Purpose,
        destination: Destination,
        message: ChallengeMessage,
        handle: str,
        code: str,
    ) -> tuple[list[str], dict[str, Any]]:
        """Return the keys and the fields of a new challenge for `send.lua`."""
        owner, now = key_digest(purpose, destination.address), milliseconds(self.clock.now())
        code_mac = self._code_macs(purpose, destination, code)[0]
        keys = [f"challenge:{key_digest(handle)}", f"newest:{owner}", f"queued:{owner}", STREAM]
        return keys, {
            "now": now,
            "expires_at": now + self.settings.otp_ttl * 1000,
            "handle": key_digest(handle),
            "destination": owner,
            "code_mac": code_mac if message.has_valid_code else self._random_mac(),
            "decoy_mac": self._random_mac(),
            "invalidation_key": invalidated_before_key(destination.address),
        }

    def _build_delivery(
        self, message: ChallengeMessage, destination: Destination, code: str, client: Client
    ) -> Delivery:
        to = message.to or destination
        minutes = str(self.settings.otp_ttl // 60)
        link = message.link.url(to.address, code) if message.link else ""
        return Delivery(
            id=str(new_id(self.clock, self.codes.entropy)),
            channel=to.channel,
            to=to.address,
            template=message.template or "code",
            parameters={
                "code": code,
                "minutes": minutes,
                "link": link,
                LANGUAGES: ",".join(client.languages),
            },
            request_id=client.request_id,
        )

    def _seal_context(self, context: Mapping[str, str], record: Mapping[str, Any]) -> bytes:
        marks = {ASKED_AT: str(record["now"])} | ({TEST_CODE: "yes"} if record["is_test"] else {})
        return self.keyring.seal("otp", json.dumps({**context, **marks}).encode())

    def _unseal(self, receipt: str, sealed: bytes) -> VerifiedChallenge:
        context: dict[str, str] = json.loads(self.keyring.open("otp", sealed))
        asked_at = context.pop(ASKED_AT, None)  # challenges of the previous release have none
        moment = datetime.fromtimestamp(int(asked_at) / 1000, UTC) if asked_at else None
        is_test = context.pop(TEST_CODE, None) is not None
        return VerifiedChallenge(receipt, context, moment, is_test)

    def _random_mac(self) -> str:
        """Return a random value in place of a code's mac, so that no code matches."""
        return self.codes.draw_handle()

    def _code_macs(self, purpose: Purpose, destination: Destination, code: str) -> list[str]:
        message = f"{purpose}\0{destination.address}\0{code}".encode()
        return [mac.hex() for mac in self.keyring.macs("otp", message)]


def _require_right_code(answer: Sequence[Any], scopes: Sequence[Scope]) -> None:
    """Raise the refusal that the script `VERIFY` has answered with, if it is one."""
    if answer[0] == b"limited":
        raise RateLimited(scopes[answer[2] - 1].setting, -(-answer[1] // 1000))
    if answer[0] == b"none":
        raise NoActiveChallenge
    if answer[0] != b"right":
        raise OtpInvalid
