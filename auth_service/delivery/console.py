"""The console provider of development: messages go to an inbox that a developer can read."""

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
MAX_MESSAGES = 500
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inbox:
    """The newest messages of a development stack, sealed in Redis, visible to every replica."""

    redis: BatchedRedis
    keyring: Keyring
    clock: Clock

    async def store(self, message: Message) -> None:
        """Store a message as the newest one."""
        kept = {
            "channel": message.channel,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "sent_at": rfc3339(self.clock.now()),
        }
        sealed = self.keyring.seal("delivery", json.dumps(kept).encode())
        await self.redis.execute("LPUSH", KEY, sealed)
        await self.redis.execute("LTRIM", KEY, 0, MAX_MESSAGES - 1)

    async def read(self, to: str) -> list[dict[str, Any]]:
        """Return the messages to `to`, newest first; those that no key opens are skipped."""
        sealed: list[bytes] = await self.redis.execute("LRANGE", KEY, 0, -1)
        kept = [message for item in sealed if (message := self._decrypt(item))]
        return [message for message in kept if message["to"] == to]

    def _decrypt(self, sealed: bytes) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = json.loads(self.keyring.open("delivery", sealed))
        except SealBrokenError:
            return None
        return message


@dataclass(frozen=True, slots=True)
class Console:
    """A provider that stores every message in the inbox."""

    name = "console"

    inbox: Inbox

    async def send(self, message: Message) -> None:
        """Store the message, and log its arrival without its content."""
        try:
            await self.inbox.store(message)
        except ServiceUnavailable as away:
            raise ProviderError("the inbox cannot be reached") from away
        log.info("message.kept_in_inbox", channel=message.channel, to=message.to)
