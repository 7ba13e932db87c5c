"""The console provider: development's messages stay here, in an inbox that a person can read."""

import json
from dataclasses import dataclass
from typing import Any

import structlog

from auth_service.delivery.errors import ProviderError
from auth_service.delivery.model import Message
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, rfc3339
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis

KEY = "dev:inbox"
KEPT = 500
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inbox:
    """A development stack's newest messages, sealed in Redis, so that every replica sees them."""

    redis: BatchedRedis
    keyring: Keyring
    clock: Clock

    async def keep(self, message: Message) -> None:
        """Put a message on top."""
        kept = {
            "channel": message.channel,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "sent_at": rfc3339(self.clock.now()),
        }
        await self.redis.execute(
            "LPUSH", KEY, self.keyring.seal("delivery", json.dumps(kept).encode())
        )
        await self.redis.execute("LTRIM", KEY, 0, KEPT - 1)

    async def read(self, to: str) -> list[dict[str, Any]]:
        """Return what was sent to `to`, newest first; what no key opens any more is passed over."""
        sealed: list[bytes] = await self.redis.execute("LRANGE", KEY, 0, -1)
        kept = [message for item in sealed if (message := self._opened(item))]
        return [message for message in kept if message["to"] == to]

    def _opened(self, sealed: bytes) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = json.loads(self.keyring.open("delivery", sealed))
        except SealBrokenError:
            return None
        return message


class Console:
    """A provider that keeps every message in the inbox."""

    name = "console"

    def __init__(self, inbox: Inbox) -> None:
        """Keep messages in `inbox`."""
        self._inbox = inbox

    async def send(self, message: Message) -> None:
        """Keep it, and leave a notice without its content."""
        try:
            await self._inbox.keep(message)
        except ServiceUnavailable as away:
            raise ProviderError("the inbox cannot be reached") from away
        log.info("message.kept_in_inbox", channel=message.channel, to=message.to)
