"""The composition root of media_service."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import Gauge

from media_service.creative.app_keys import LINK_SIGNER, TIMEZONES
from media_service.creative.routes import routes as creative_routes
from media_service.creative.signed_link import LinkSigner, PreviousKey
from media_service.creative.timezones import TimezoneRegistry
from media_service.erasure.service import POLL_SECONDS, DeletedUsersConsumer
from media_service.idempotency.service import delete_expired_keys
from media_service.identity.authentication import CHANGE_LIMITER, authenticate
from media_service.identity.change_limiter import ChangeLimiter
from media_service.image.worker.pool import DecoderPool, open_decoder_pool
from media_service.picture.app_keys import FILE_DELETER, STORAGE
from media_service.picture.file_deleter import FileDeleter
from media_service.picture.reconcile import RECONCILE_SECONDS, reconcile
from media_service.picture.schemas import PREFIX
from media_service.product.routes import routes as product_routes
from media_service.resources import (
    ANONYMOUS_DATABASE,
    AUTHENTICATOR,
    CLOCK,
    DATABASE,
    ENTROPY,
    SETTINGS,
)
from media_service.schedule.loader import ScheduleLoader
from media_service.schedule.routes import SCHEDULE_LOADER
from media_service.schedule.routes import routes as schedule_routes
from media_service.settings import MediaSettings
from media_service.storage.factory import open_storage
from media_service.upload.app_keys import READING_SLOTS, UPLOAD_CONTEXT, UPLOAD_LIMITS
from media_service.upload.context import UploadContext
from media_service.upload.model import MAX_READING_CHUNKS, UploadLimits
from shared.application import Interface, build_application
from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import watch_clock
from shared.db import PoolLimits, open_database
from shared.entropy import Entropy
from shared.errors import RateLimited
from shared.health import READINESS
from shared.middleware import HTTP_METRICS
from shared.redis import new_client
from shared.request import VALIDATION_CONTEXT
from shared.revocation.authenticator import open_authenticator
from shared.revocation.metrics import register_cache_metrics

ANONYMOUS_CONNECTIONS = 2
ANONYMOUS_BOUNDS = PoolLimits(statement_seconds=1, wait_seconds=1, callers=64)
"""Shared by all anonymous callers of one process."""

DECODERS: web.AppKey[DecoderPool] = web.AppKey("decoders")

FEATURES = (creative_routes, schedule_routes, product_routes)
INTERFACE = Interface("Cheershare media_service", PREFIX, FEATURES, counted_errors=(RateLimited,))


def create_app(settings: MediaSettings, *, clock: Clock, entropy: Entropy) -> web.Application:
    """Return the whole service; its resources open when it starts and close when it ends."""
    app = build_application(INTERFACE, settings, entropy, authenticate)
    app[SETTINGS], app[CLOCK], app[ENTROPY] = settings, clock, entropy
    app[CHANGE_LIMITER] = ChangeLimiter(settings.limit_changes_per_user, clock)
    app[UPLOAD_LIMITS] = UploadLimits(settings.max_upload_bytes)
    previous = [PreviousKey.read(key.get_secret_value()) for key in settings.previous_link_keys]
    app[LINK_SIGNER] = LinkSigner(settings.link_secrets, previous)
    app[READING_SLOTS] = asyncio.Semaphore(MAX_READING_CHUNKS)
    app.cleanup_ctx.extend(
        [_database, _identity, _timezones, _storage, _decoders, _file_deleter, _upload_context]
    )
    app.cleanup_ctx.extend([_user_eraser, _reconciler, _expire_idempotency_keys])
    return app


async def _database(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    url, mounted = settings.media_database_url, settings.mounted_file("media_database_url")
    dsn = url.get_secret_value()
    async with (
        open_database(dsn, mounted=mounted) as database,
        open_database(
            dsn, mounted=mounted, size=ANONYMOUS_CONNECTIONS, bounds=ANONYMOUS_BOUNDS
        ) as anonymous,
    ):
        app[DATABASE], app[ANONYMOUS_DATABASE] = database, anonymous
        app[SCHEDULE_LOADER] = ScheduleLoader(database)
        readiness = app[READINESS]
        readiness.checks["database"] = database.is_reachable
        readiness.reasons["database"] = lambda: database.last_error
        async with watch_clock(database, app[CLOCK], readiness):
            yield


async def _identity(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    async with open_authenticator(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        jwks_file=settings.jwks_file,
        redis_url=settings.redis_url.get_secret_value(),
        revocation_keys=settings.revocation_keys,
        clock=app[CLOCK],
        max_staleness=settings.revocation_max_staleness,
        fail_open=settings.revocation_policy == "fail_open",
    ) as authenticator:
        app[AUTHENTICATOR] = authenticator
        register_cache_metrics(app[HTTP_METRICS].registry, authenticator.cache)

        async def has_keys() -> bool:
            return authenticator.verifier.ready

        async def knows_revocations() -> bool:
            return authenticator.cache.ready

        app[READINESS].checks |= {"keys": has_keys, "revocations": knows_revocations}
        yield


async def _timezones(app: web.Application) -> AsyncIterator[None]:
    app[TIMEZONES] = app[VALIDATION_CONTEXT] = TimezoneRegistry()
    await app[TIMEZONES].load_names()
    yield


async def _storage(app: web.Application) -> AsyncIterator[None]:
    opening = open_storage(app[SETTINGS].storage_url, app[CLOCK], app[ENTROPY])
    async with opening as app[STORAGE]:
        app[READINESS].checks["storage"] = app[STORAGE].reachable
        yield


async def _decoders(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    async with open_decoder_pool(settings.image_workers, settings.max_image_pixels) as pool:
        app[DECODERS] = pool
        waiting = _gauge(app, "media_images_waiting", "Pictures that wait for a decoder")
        waiting.set_function(lambda: pool.waiting)
        yield


async def _file_deleter(app: web.Application) -> AsyncIterator[None]:
    app[FILE_DELETER] = FileDeleter(app[DATABASE], app[STORAGE])
    app[FILE_DELETER].notify()  # for files that were queued before a crash
    async with run_periodically("file_deletions", app[FILE_DELETER].wait_and_delete, pause=0):
        yield


async def _upload_context(app: web.Application) -> AsyncIterator[None]:
    app[UPLOAD_CONTEXT] = UploadContext(
        limits=app[UPLOAD_LIMITS],
        quota=app[SETTINGS].quota,
        authenticator=app[AUTHENTICATOR],
        images=app[DECODERS],
        storage=app[STORAGE],
        database=app[DATABASE],
        clock=app[CLOCK],
        entropy=app[ENTROPY],
    )
    yield


async def _user_eraser(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    redis = new_client(settings.redis_url.get_secret_value())
    keys, clock = settings.revocation_keys, app[CLOCK]
    eraser = DeletedUsersConsumer(redis, keys, app[DATABASE], app[FILE_DELETER], clock)
    try:
        async with run_periodically("erasure", eraser.run_once, pause=POLL_SECONDS):
            yield
    finally:
        await redis.aclose()


async def _reconciler(app: web.Application) -> AsyncIterator[None]:
    missing = _gauge(app, "media_files_missing", "Files that the last reconciliation did not find")

    async def run_once() -> None:
        missing.set((await reconcile(app[DATABASE], app[STORAGE])).files_missing)

    async with run_periodically("reconcile", run_once, pause=RECONCILE_SECONDS):
        yield


async def _expire_idempotency_keys(app: web.Application) -> AsyncIterator[None]:
    async def run_once() -> None:
        await delete_expired_keys(app[DATABASE], app[CLOCK])

    async with run_periodically("idempotency_keys.expiry", run_once, pause=RECONCILE_SECONDS):
        yield


def _gauge(app: web.Application, name: str, meaning: str) -> Gauge:
    return Gauge(name, meaning, registry=app[HTTP_METRICS].registry)
