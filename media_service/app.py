"""The HTTP application of media_service, built from `wiring.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

from aiohttp import web
from prometheus_client import Gauge

from media_service.creative.app_keys import LINK_SIGNER, TIMEZONES
from media_service.creative.routes import routes as creative_routes
from media_service.creative.timezones import TimezoneRegistry
from media_service.erasure.service import POLL_SECONDS
from media_service.event.app_keys import EVENTS
from media_service.feed.routes import FEEDS
from media_service.feed.routes import routes as feed_routes
from media_service.idempotency.repository import delete_expired as delete_expired_keys
from media_service.identity.authentication import CHANGE_LIMITER, authenticate
from media_service.picture.file_response import FILE_DELETER, STORAGE
from media_service.picture.reconcile import RECONCILE_SECONDS, reconcile
from media_service.picture.schemas import PREFIX
from media_service.product.routes import routes as product_routes
from media_service.product.service import FOLD_SECONDS, fold_products
from media_service.resources import (
    ANONYMOUS_DATABASE,
    AUTHENTICATOR,
    CLOCK,
    DATABASE,
    SETTINGS,
)
from media_service.schedule.routes import SCHEDULE_LOADER
from media_service.schedule.routes import routes as schedule_routes
from media_service.settings import MediaSettings
from media_service.upload.body import MAX_READING_CHUNKS, UploadLimits
from media_service.upload.request import READING_SLOTS, UPLOAD_LIMITS, UPLOADS
from media_service.webhook.routes import WEBHOOK_INTERFACE as WEBHOOKS_OF_USERS
from media_service.webhook.routes import routes as webhook_routes
from media_service.wiring import Wiring
from shared.application import Interface, build_application
from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import watch_clock
from shared.entropy import Entropy
from shared.errors import RateLimited
from shared.health import READINESS
from shared.middleware import HTTP_METRICS
from shared.request import VALIDATION_CONTEXT
from shared.revocation.metrics import register_cache_metrics
from shared.webhooks.delivery.repository import delete_expired as delete_expired_deliveries
from shared.webhooks.delivery.routes import DELIVERIES
from shared.webhooks.endpoint.routes import WEBHOOKS
from shared.webhooks.event.repository import delete_expired as delete_expired_events
from shared.webhooks.housekeeping import register_webhook_metrics, run_housekeeping
from shared.webhooks.interface import INTERFACE as WEBHOOK_INTERFACE

WIRING = web.AppKey("wiring", Wiring)
FEATURES = (creative_routes, schedule_routes, product_routes, webhook_routes, feed_routes)
INTERFACE = Interface("Cheershare media_service", PREFIX, FEATURES, counted_errors=(RateLimited,))


def create_app(settings: MediaSettings, *, clock: Clock, entropy: Entropy) -> web.Application:
    """Return the whole service; its resources open when it starts and close when it ends."""
    app = build_application(INTERFACE, settings, entropy, authenticate)
    wiring = app[WIRING] = Wiring(settings, clock=clock, entropy=entropy)
    app[SETTINGS], app[CLOCK], app[EVENTS] = settings, clock, wiring.events
    app[WEBHOOK_INTERFACE] = WEBHOOKS_OF_USERS
    app[CHANGE_LIMITER], app[LINK_SIGNER] = wiring.change_limiter, wiring.link_signer
    app[UPLOAD_LIMITS] = UploadLimits(settings.max_upload_bytes)
    app[READING_SLOTS] = asyncio.Semaphore(MAX_READING_CHUNKS)
    app.cleanup_ctx.extend([_resources, _tasks, _publishing, _webhooks])
    return app


async def _resources(app: web.Application) -> AsyncIterator[None]:
    wiring, readiness, registry = app[WIRING], app[READINESS], app[HTTP_METRICS].registry
    app[TIMEZONES] = app[VALIDATION_CONTEXT] = TimezoneRegistry()
    await app[TIMEZONES].load_names()
    async with (
        wiring.open_stores(),
        watch_clock(wiring.clock_check),
        wiring.open_upload_parts(),
    ):
        authenticator, storage = wiring.authenticator, wiring.storage

        async def has_keys() -> bool:
            return authenticator.verifier.has_keys

        async def knows_revocations() -> bool:
            return cache.ready

        database, cache = wiring.database, authenticator.cache
        readiness.add("database", database.is_reachable, lambda: database.last_error)
        readiness.add("clock", wiring.clock_check.clocks_agree, wiring.clock_check.reason)
        readiness.add("keys", has_keys, lambda: authenticator.verifier.keys_error)
        readiness.add("revocations", knows_revocations, cache.explain_staleness)
        readiness.add("storage", storage.reachable, lambda: storage.last_error)
        register_cache_metrics(registry, cache)
        waiting = Gauge(
            "media_images_waiting", "Pictures that wait for a decoder", registry=registry
        )
        waiting.set_function(lambda: wiring.images.waiting)
        app[DATABASE], app[ANONYMOUS_DATABASE] = wiring.database, wiring.anonymous_database
        app[AUTHENTICATOR], app[STORAGE] = authenticator, storage
        app[FILE_DELETER], app[UPLOADS] = wiring.file_deleter, wiring.uploads
        app[SCHEDULE_LOADER], app[WEBHOOKS] = wiring.schedule_loader, wiring.webhooks
        app[DELIVERIES] = wiring.webhook_deliveries
        app[FEEDS] = wiring.feeds
        yield


async def _tasks(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]
    missing = Gauge(
        "media_files_missing",
        "Files that the last reconciliation did not find",
        registry=app[HTTP_METRICS].registry,
    )

    async def reconcile_once() -> None:
        missing.set((await reconcile(wiring.database, wiring.storage)).files_missing)

    async def expire_keys() -> None:
        await delete_expired_keys(wiring.database, wiring.clock.now())

    async def expire_webhooks() -> None:
        if await wiring.clock_check.compare():  # else it might delete all
            await delete_expired_deliveries(wiring.database, wiring.clock.now())
            await delete_expired_events(wiring.database, wiring.clock.now())

    wiring.file_deleter.notify()  # for files that were queued before a crash
    async with (
        run_periodically("file_deletions", wiring.file_deleter.wait_and_delete, pause=0),
        wiring.open_deleted_users_consumer() as consumer,
        run_periodically("erasure", consumer.run_once, pause=POLL_SECONDS),
        run_periodically("erasure.leftovers", consumer.erase_leftovers, pause=RECONCILE_SECONDS),
        run_periodically("reconcile", reconcile_once, pause=RECONCILE_SECONDS),
        run_periodically("idempotency_keys.expiry", expire_keys, pause=RECONCILE_SECONDS),
        run_periodically("webhooks.expiry", expire_webhooks, pause=RECONCILE_SECONDS),
        run_periodically(
            "products.folding", lambda: fold_products(wiring.database), pause=FOLD_SECONDS
        ),
    ):
        yield


async def _publishing(app: web.Application) -> AsyncIterator[None]:
    publisher, publishes = app[WIRING].publisher, app[SETTINGS].publish_worker
    overdue = Gauge(
        "media_creatives_overdue_seconds",
        "Seconds since the first creative that is not yet published fell due",
        registry=app[HTTP_METRICS].registry,
    )
    overdue.set_function(publisher.overdue_seconds)
    once = publisher.publish_due if publishes else publisher.read_next_due
    async with run_periodically("publishing", once, pause=publisher.pause):
        yield


async def _webhooks(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]
    async with (
        wiring.open_webhook_worker() as worker,
        wiring.run_webhooks(worker) if app[SETTINGS].publish_worker else nullcontext(),
        run_housekeeping(wiring.webhooks, worker),
    ):
        register_webhook_metrics(app[HTTP_METRICS].registry, "media", worker)
        yield
