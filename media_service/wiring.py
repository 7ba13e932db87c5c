"""The composition root: the HTTP application and the command line are built from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property

from media_service.creative.signed_link import LinkSigner, PreviousKey
from media_service.erasure.service import DeletedUsersConsumer
from media_service.event.recorder import EventRecorder
from media_service.feed.service import FeedService
from media_service.identity.change_limiter import ChangeLimiter
from media_service.image.model import DecodeLimits
from media_service.image.worker.pool import DecoderPool, open_decoder_pool
from media_service.picture.file_deleter import FileDeleter
from media_service.publishing.service import Publisher
from media_service.quota.model import QuotaLimits
from media_service.schedule.service import ScheduleLoader
from media_service.settings import MediaSettings
from media_service.storage.factory import open_storage
from media_service.storage.model import Storage
from media_service.upload.service import UploadService
from media_service.webhook.messages import EventMessages
from media_service.webhook.results import CreativeResults
from shared.clock import Clock
from shared.db import Database, PoolLimits, open_database
from shared.entropy import Entropy
from shared.parts import Part
from shared.redis import new_client
from shared.revocation.authenticator import TokenAuthenticator, open_authenticator
from shared.webhooks.delivery.fan_out import EventEncoder
from shared.webhooks.delivery.results import StoreResult
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.wiring import WebhookWiring

ANONYMOUS_CONNECTIONS = 2
ANONYMOUS_BOUNDS = PoolLimits(statement_seconds=1, wait_seconds=1, callers=64)
"""Shared by all anonymous callers of one process."""


@dataclass(eq=False)
class Wiring(WebhookWiring):
    """The parts of media_service that its features share."""

    settings: MediaSettings
    _: KW_ONLY
    clock: Clock
    entropy: Entropy
    database: Database = field(init=False)
    anonymous_database: Database = field(init=False)
    storage: Storage = field(init=False)
    authenticator: TokenAuthenticator = field(init=False)
    images: DecoderPool = field(init=False)

    @asynccontextmanager
    async def open_database(self) -> AsyncIterator[None]:
        """Open `database` inside the block."""
        async with self._open_pool() as self.database:
            yield

    @asynccontextmanager
    async def open_stores(self) -> AsyncIterator[None]:
        """Open `database`, `anonymous_database` and `storage` inside the block."""
        async with (
            self.open_database(),
            self._open_pool(ANONYMOUS_CONNECTIONS, ANONYMOUS_BOUNDS) as anonymous,
            open_storage(self.settings.storage_url, self.clock, self.entropy) as self.storage,
        ):
            self.anonymous_database = anonymous
            yield

    def _open_pool(
        self, size: int = 10, bounds: PoolLimits | None = None
    ) -> AbstractAsyncContextManager[Database]:
        url = self.settings.media_database_url.get_secret_value()
        mounted = self.settings.mounted_file("media_database_url")
        return open_database(url, mounted=mounted, size=size, bounds=bounds)

    @asynccontextmanager
    async def open_upload_parts(self) -> AsyncIterator[None]:
        """Open `authenticator` and `images` inside the block."""
        async with (
            open_authenticator(
                issuer=self.settings.jwt_issuer,
                audience=self.settings.jwt_audience,
                jwks_file=self.settings.jwks_file,
                redis_url=self.settings.redis_url.get_secret_value(),
                revocation_keys=self.settings.revocation_keys,
                clock=self.clock,
                max_staleness=self.settings.revocation_max_staleness,
                fail_open=self.settings.revocation_policy == "fail_open",
            ) as self.authenticator,
            open_decoder_pool(
                self.settings.image_workers,
                DecodeLimits(self.settings.max_image_pixels, self.settings.max_image_side),
            ) as self.images,
        ):
            yield

    @asynccontextmanager
    async def open_deleted_users_consumer(self) -> AsyncIterator[DeletedUsersConsumer]:
        """Open the consumer of auth_service's stream of deleted users inside the block."""
        async with new_client(self.settings.redis_url.get_secret_value()) as redis:
            yield DeletedUsersConsumer(
                redis=redis,
                keys=self.settings.revocation_keys,
                database=self.database,
                file_deleter=self.file_deleter,
                clock=self.clock,
            )

    # Without any resource
    events = Part(EventRecorder)

    @cached_property
    def change_limiter(self) -> ChangeLimiter:
        return ChangeLimiter(self.settings.limit_changes_per_user, self.clock)

    @cached_property
    def event_messages(self) -> EventEncoder:
        return EventMessages(self.link_signer, self.settings.public_url)

    @cached_property
    def link_signer(self) -> LinkSigner:
        keys = [key.get_secret_value() for key in self.settings.previous_link_keys]
        return LinkSigner(self.settings.own_secrets, [PreviousKey.read(key) for key in keys])

    @cached_property
    def quota(self) -> QuotaLimits:
        return self.settings.quota

    @cached_property
    def secret_sealer(self) -> SecretSealer:
        return SecretSealer(self.settings.own_secrets, self.entropy)

    @property
    def store_result(self) -> StoreResult:
        return self.creative_results.store

    @property
    def events_written(self) -> asyncio.Event:
        return self.publisher.published

    # With the resources
    creative_results = Part(CreativeResults)
    feeds = Part(FeedService)
    file_deleter = Part(FileDeleter)
    publisher = Part(Publisher)
    schedule_loader = Part(ScheduleLoader)
    uploads = Part(UploadService)
