"""A receiver that the policy allows, on a loopback address of its own, and a sender."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from shared.clock import SystemClock
from shared.webhooks.destination import DestinationPolicy
from shared.webhooks.model import Attempt, WebhookMessage
from shared.webhooks.sender import WebhookSender, open_sender
from tests.support.webhook_receiver import Receiver, open_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = WebhookMessage("msg_1", b'{"type":"webhook.test"}')
POLICY = DestinationPolicy(
    frozenset({"http", "https"}), frozenset(), (ip_network("127.0.0.77/32"),)
)
OpenSender = Callable[..., AbstractAsyncContextManager[WebhookSender]]


@dataclass
class Posting:
    """Posts the same message to any URL."""

    sender: WebhookSender

    async def __call__(self, url: str) -> Attempt:
        return await self.sender.attempt(url, MESSAGE, [SECRET])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def post() -> AsyncIterator[Posting]:
    async with open_sender(POLICY, 5, SystemClock(), 50) as sender:
        yield Posting(sender)
