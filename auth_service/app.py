"""The HTTP application of auth_service, built from `wiring.py`."""

from collections.abc import AsyncIterator
from contextlib import nullcontext

from aiohttp import web

from auth_service import resources as r
from auth_service.account import routes as account
from auth_service.admin import dead_letters, subscribers
from auth_service.admin import routes as admin
from auth_service.audit import routes as audit
from auth_service.delivery import pages, twilio_callbacks
from auth_service.delivery import routes as inbox
from auth_service.factor import passkey_routes
from auth_service.factor import routes as factor
from auth_service.login import routes as login
from auth_service.passkey import well_known
from auth_service.password import routes as password
from auth_service.registration import routes as registration
from auth_service.revocation.metrics import register_publisher_metrics
from auth_service.session import resources as session
from auth_service.session import routes as session_routes
from auth_service.session.authentication import authenticate
from auth_service.settings import AuthSettings
from auth_service.signing import routes as signing
from auth_service.signing.resources import SIGNER
from auth_service.signup import routes as signup
from auth_service.step_up import routes as step_up
from auth_service.webhook import routes as webhook
from auth_service.wiring import Wiring
from shared.application import Interface, build_application
from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import watch_clock
from shared.entropy import Entropy
from shared.errors import RateLimited
from shared.health import READINESS
from shared.middleware import HTTP_METRICS
from shared.webhooks.delivery.routes import DELIVERIES
from shared.webhooks.endpoint.routes import WEBHOOKS
from shared.webhooks.housekeeping import register_webhook_metrics, run_housekeeping
from shared.webhooks.interface import INTERFACE as WEBHOOK_INTERFACE

WIRING = web.AppKey("wiring", Wiring)
PREFIX = "/v1/auth"
FEATURES = (
    signup.routes,
    registration.routes,
    login.routes,
    password.routes,
    session_routes.routes,
    step_up.routes,
    factor.routes,
    passkey_routes.routes,
    account.routes,
    signing.routes,
    pages.routes,
    twilio_callbacks.routes,
    admin.routes,
    dead_letters.routes,
    subscribers.routes,
    audit.routes,
    webhook.routes,
)
PURGE_SECONDS = 3600
FUNNEL_SECONDS = 60
LISTEN_AGAIN_SECONDS = 0.2
NO_EPOCH = "no replica has written the revocations to Redis yet; that takes Redis and the database"
KEYS_AT_ROOT = "/.well-known/jwks.json"


def interface(*, development: bool) -> Interface:
    """Return every route of the service; the inbox among them only in development."""
    features = (*FEATURES, inbox.routes) if development else FEATURES
    return Interface("Cheershare auth_service", PREFIX, features, counted_errors=(RateLimited,))


def create_app(settings: AuthSettings, *, clock: Clock, entropy: Entropy) -> web.Application:
    """Return the whole service; its resources open when it starts and close when it ends."""
    app = build_application(
        interface(development=not settings.production),
        settings,
        entropy,
        authenticate,
        extra=[
            web.get(KEYS_AT_ROOT, signing.get_keys),
            web.get(well_known.ASSET_LINKS, well_known.get_asset_links),
            web.get(well_known.APPLE_ASSOCIATION, well_known.get_apple_association),
        ],
    )
    registry = app[HTTP_METRICS].registry
    wiring = app[WIRING] = Wiring(settings, clock=clock, entropy=entropy, registry=registry)
    app[r.SETTINGS], app[r.CLOCK] = settings, clock
    app[r.KEYRING], app[r.VERIFIER] = wiring.keyring, wiring.verifier
    app[SIGNER] = wiring.signer
    app[session.DEVICE_TOKENS] = wiring.device_tokens
    app[session.PROOF_OF_WORK] = wiring.proof_of_work
    app[twilio_callbacks.DELIVERY_METRICS] = wiring.metrics
    app[pages.TEMPLATES] = wiring.templates
    app[WEBHOOK_INTERFACE] = webhook.WEBHOOK_INTERFACE
    app.cleanup_ctx.extend(
        [_database, _redis, _signer, _hasher, _funnel, _publisher, _services, _purge, _delivery]
    )
    app.cleanup_ctx.append(_webhooks)
    return app


async def _database(app: web.Application) -> AsyncIterator[None]:
    wiring, readiness = app[WIRING], app[READINESS]
    async with wiring.open_database() as database:
        readiness.add("database", database.is_reachable, lambda: database.last_error)
        readiness.add("clock", wiring.clock_check.clocks_agree, wiring.clock_check.reason)
        async with watch_clock(wiring.clock_check):
            yield


async def _redis(app: web.Application) -> AsyncIterator[None]:
    async with app[WIRING].open_redis() as redis:
        app[READINESS].add("redis", redis.is_reachable, lambda: redis.last_error)
        yield


async def _signer(app: web.Application) -> AsyncIterator[None]:
    signer = app[WIRING].signer

    async def has_key() -> bool:
        return signer.ready

    app[READINESS].add("signing_key", has_key, signer.explain_missing_key)
    await signer.refresh()
    async with run_periodically("signing_keys", signer.refresh, pause=1):
        yield


async def _hasher(app: web.Application) -> AsyncIterator[None]:
    async with app[WIRING].open_hasher():
        yield


async def _funnel(app: web.Application) -> AsyncIterator[None]:
    funnel = app[WIRING].funnel
    async with run_periodically("otp_funnel", funnel.measure, pause=FUNNEL_SECONDS):
        yield


async def _publisher(app: web.Application) -> AsyncIterator[None]:
    publisher = app[WIRING].publisher
    register_publisher_metrics(app[HTTP_METRICS].registry, publisher)
    app[READINESS].add("revocations", publisher.ready, lambda: NO_EPOCH)
    listening = run_periodically(
        "subscribers", app[WIRING].subscribers.listen, pause=LISTEN_AGAIN_SECONDS
    )
    rounds = run_periodically(
        "publisher",
        publisher.reconcile,
        pause=publisher.pause,
        wake=app[WIRING].subscribers.round_wanted,
    )
    async with listening, rounds:
        yield
    await publisher.close()


async def _services(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]
    app[session.USAGE_LIMITS] = wiring.usage_limits
    app[session.SESSIONS] = wiring.sessions
    app[session_routes.REFRESH] = wiring.refresh
    app[signup.SIGNUP] = wiring.phone_sign_in
    app[registration.REGISTRATION] = wiring.registration
    app[registration.ACTIVATION] = wiring.activation
    app[login.LOGIN] = wiring.login
    app[password.PASSWORD_RESET] = wiring.password_reset
    app[password.PASSWORD_CHANGE] = wiring.password_change
    app[step_up.STEP_UP] = wiring.step_up
    app[factor.FACTORS] = wiring.factors
    app[factor.ENROLMENT] = wiring.enrolment
    app[factor.SECOND_FACTOR] = wiring.second_factor_sign_in
    app[passkey_routes.PASSKEY_SIGN_IN] = wiring.passkey_sign_in
    app[account.ACCOUNT] = wiring.account
    app[account.CONTACT] = wiring.contact
    app[account.EXPORT] = wiring.export
    app[admin.ADMINISTRATION] = wiring.user_administration
    app[admin.FACTOR_ADMINISTRATION] = wiring.factor_administration
    app[dead_letters.DEAD_LETTERS] = wiring.dead_letter_administration
    app[subscribers.SUBSCRIBERS] = wiring.subscribers
    app[audit.AUDIT] = wiring.audit
    app[inbox.INBOX] = wiring.inbox
    app[WEBHOOKS], app[DELIVERIES] = wiring.webhooks, wiring.webhook_deliveries
    yield


async def _purge(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]

    async def purge() -> None:
        if await wiring.clock_check.compare():  # else it might delete all
            await wiring.purge_service.run()

    async with run_periodically("purge", purge, pause=PURGE_SECONDS):
        yield


async def _delivery(app: web.Application) -> AsyncIterator[None]:
    if not app[r.SETTINGS].delivery_worker:
        yield
        return
    async with app[WIRING].run_delivery_worker():
        yield


async def _webhooks(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]
    async with (
        wiring.open_webhook_worker() as worker,
        wiring.run_webhooks(worker) if app[r.SETTINGS].publish_worker else nullcontext(),
        run_housekeeping(wiring.webhooks, worker),
    ):
        register_webhook_metrics(app[HTTP_METRICS].registry, "auth", worker)
        yield
