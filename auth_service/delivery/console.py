"""The console provider of development: messages go to an inbox that a developer can read."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from auth_service.delivery.errors import ProviderError
from auth_service.delivery.model import STREAM, Message
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, rfc3339
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis

KEY = "dev:inbox"
MAX_MESSAGES = 500
RECENT = timedelta(seconds=10)
POLL_SECONDS = 0.05
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

    async def wait_for_recent(self, to: str, seconds: float) -> list[dict[str, Any]]:
        """Return the messages to `to` once a recent one is there and none is on its way.

        After so many seconds it returns those that there are.
        """
        loop = asyncio.get_running_loop()
        since, deadline = self.clock.now() - RECENT, loop.time() + seconds
        while True:
            is_pending = await self._is_on_its_way(to)  # first: it may arrive between the two
            messages = await self.read(to)
            is_recent = messages and datetime.fromisoformat(messages[0]["sent_at"]) >= since
            if (is_recent and not is_pending) or loop.time() >= deadline:
                return messages
            await asyncio.sleep(POLL_SECONDS)

    async def _is_on_its_way(self, to: str) -> bool:
        entries = await self.redis.execute("XRANGE", STREAM, "-", "+")
        queued = (self._decrypt(fields[b"sealed"]) for _, fields in entries)
        return any(message["to"] == to for message in queued if message)

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
