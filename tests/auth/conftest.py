"""auth_service with providers that are not the console."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from deploy.local.valkey import Valkey
from tests.auth.publisher_harness import PublisherHarness, open_harness
from tests.auth.subscriber_audience import LONG, Audience
from tests.conftest import ISSUER, REVOCATION_KEY, SECRET
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.providers import ACCOUNT, FakeProvider, open_fake_provider
from tests.support.waiting import until

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def twilio() -> AsyncIterator[FakeProvider]:
    async with open_fake_provider() as provider:
        yield provider


@pytest.fixture
async def webhook() -> AsyncIterator[FakeProvider]:
    async with open_fake_provider() as provider:
        yield provider


@pytest.fixture
def serving_with(
    serving_auth: Callable[..., Any], twilio: FakeProvider, webhook: FakeProvider
) -> Callable[..., Any]:
    """Serves auth_service with providers in this order: `serving_with("twilio", "webhook")`."""

    def serve(*providers: str, **changes: Any) -> Any:
        return serving_auth(**provider_settings(twilio, webhook, *providers), **changes)

    return serve


def provider_settings(
    twilio: FakeProvider, webhook: FakeProvider, *providers: str
) -> dict[str, Any]:
    return {
        "sms_providers": ",".join(providers),
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": "a-token",
        "twilio_phone_number": "+15005550006",
        "twilio_base_url": twilio.address,
        "sms_webhook_url": f"{webhook.address}/webhook",
        "sms_webhook_secret": WEBHOOK_SECRET,
    }


@pytest.fixture
def command_environment(
    monkeypatch: pytest.MonkeyPatch, valkey: Any, auth_dsn: str, keys_folder: Any
) -> None:
    environment = {
        "ENV": "development",
        "PUBLIC_URL": ISSUER,
        "AUTH_DATABASE_URL": auth_dsn,
        "REDIS_URL": valkey.url(),
        "JWT_PRIVATE_KEYS_DIR": str(keys_folder),
        "SECRET_KEYS": SECRET,
        "REVOCATION_KEY": REVOCATION_KEY,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # it is global: a command in this process would change the logs of later tests
    monkeypatch.setattr("auth_service.cli.configure_logs", lambda *_: None)


@pytest.fixture
async def harness(
    auth_dsn: str, auth_db: Connection, valkey: Valkey, redis: Redis, clock: MovableClock
) -> AsyncIterator[PublisherHarness]:
    async with open_harness(auth_dsn, auth_db, valkey, redis, clock) as made:
        yield made


@pytest.fixture
async def audience(harness: PublisherHarness) -> Audience:
    """A publisher that has listened for long enough to know each subscriber."""
    await harness.publish_all()
    made = Audience(harness)
    await until(lambda: made.subscribers._listening_since < float("inf"))
    harness.clock.advance(seconds=2 * LONG)
    return made
