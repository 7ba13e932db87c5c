"""The HTTP application of auth_service, built from `wiring.py`."""

from collections.abc import AsyncIterator

from aiohttp import web

from auth_service import resources as r
from auth_service import services
from auth_service.account.routes import ACCOUNT, CONTACT, EXPORT
from auth_service.account.routes import routes as account_routes
from auth_service.admin.dead_letters import DEAD_LETTERS
from auth_service.admin.dead_letters import routes as dead_letter_routes
from auth_service.admin.routes import ADMINISTRATION
from auth_service.admin.routes import routes as admin_routes
from auth_service.audit.routes import AUDIT
from auth_service.audit.routes import routes as audit_routes
from auth_service.delivery.routes import INBOX
from auth_service.delivery.routes import routes as development_routes
from auth_service.delivery.twilio_callbacks import DELIVERY_METRICS
from auth_service.delivery.twilio_callbacks import routes as callback_routes
from auth_service.login.routes import LOGIN
from auth_service.login.routes import routes as login_routes
from auth_service.password.routes import PASSWORD_CHANGE, PASSWORD_RESET
from auth_service.password.routes import routes as password_routes
from auth_service.registration.routes import ACTIVATION, REGISTRATION
from auth_service.registration.routes import routes as registration_routes
from auth_service.revocation.metrics import register_publisher_metrics
from auth_service.session import resources as session
from auth_service.session.authentication import authenticate
from auth_service.session.routes import REFRESH
from auth_service.session.routes import routes as session_routes
from auth_service.settings import AuthSettings
from auth_service.signing.resources import SIGNER
from auth_service.signing.routes import get_keys
from auth_service.signing.routes import routes as key_routes
from auth_service.signup.routes import SIGNUP
from auth_service.signup.routes import routes as signup_routes
from auth_service.step_up.routes import STEP_UP
from auth_service.step_up.routes import routes as step_up_routes
from auth_service.wiring import Wiring
from shared.application import Interface, build_application
from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import watch_clock
from shared.entropy import Entropy
from shared.errors import RateLimited
from shared.health import READINESS
from shared.middleware import HTTP_METRICS

WIRING = web.AppKey("wiring", Wiring)
PREFIX = "/v1/auth"
FEATURES = (
    signup_routes,
    registration_routes,
    login_routes,
    password_routes,
    session_routes,
    step_up_routes,
    account_routes,
    key_routes,
    callback_routes,
    admin_routes,
    dead_letter_routes,
    audit_routes,
)
PURGE_SECONDS = 3600
FUNNEL_SECONDS = 60
KEYS_AT_ROOT = "/.well-known/jwks.json"


def interface(*, development: bool) -> Interface:
    """Return every route of the service; the inbox among them only in development."""
    features = (*FEATURES, development_routes) if development else FEATURES
    return Interface("Cheershare auth_service", PREFIX, features, counted_errors=(RateLimited,))


def create_app(settings: AuthSettings, *, clock: Clock, entropy: Entropy) -> web.Application:
    """Return the whole service; its resources open when it starts and close when it ends."""
    app = build_application(
        interface(development=not settings.production),
        settings,
        entropy,
        authenticate,
        extra=[web.get(KEYS_AT_ROOT, get_keys)],
    )
    registry = app[HTTP_METRICS].registry
    wiring = app[WIRING] = Wiring(settings, clock=clock, entropy=entropy, registry=registry)
    app[r.SETTINGS], app[r.CLOCK] = settings, clock
    app[r.KEYRING], app[r.VERIFIER] = wiring.keyring, wiring.verifier
    app[SIGNER] = wiring.signer
    app[session.DEVICE_TOKENS] = wiring.device_tokens
    app[session.PROOF_OF_WORK] = wiring.proof_of_work
    app[DELIVERY_METRICS] = wiring.delivery_metrics
    app.cleanup_ctx.extend(
        [_database, _redis, _signer, _hasher, _funnel, _publisher, _services, _purge, _delivery]
    )
    return app


async def _database(app: web.Application) -> AsyncIterator[None]:
    wiring, readiness = app[WIRING], app[READINESS]
    async with wiring.open_database() as database:
        readiness.checks["database"] = database.is_reachable
        readiness.reasons["database"] = lambda: database.last_error
        async with watch_clock(database, wiring.clock, readiness):
            yield


async def _redis(app: web.Application) -> AsyncIterator[None]:
    async with app[WIRING].open_redis() as redis:
        app[READINESS].checks["redis"] = redis.is_reachable
        app[READINESS].reasons["redis"] = lambda: redis.last_error
        yield


async def _signer(app: web.Application) -> AsyncIterator[None]:
    signer = app[WIRING].signer

    async def has_key() -> bool:
        return signer.ready

    app[READINESS].checks["signing_key"] = has_key
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
    app[READINESS].checks["revocations"] = publisher.ready
    async with run_periodically("publisher", publisher.reconcile, pause=publisher.pause):
        yield
    await publisher.close()


async def _services(app: web.Application) -> AsyncIterator[None]:
    wiring = app[WIRING]
    app[session.USAGE_LIMITS] = wiring.usage_limits
    sessions = app[session.SESSIONS] = services.session_service(wiring)
    app[REFRESH] = services.refresh_service(wiring, sessions)
    app[SIGNUP] = services.phone_sign_in_service(wiring)
    app[REGISTRATION] = services.registration_service(wiring)
    app[ACTIVATION] = services.activation_service(wiring)
    app[LOGIN] = services.login_service(wiring)
    app[PASSWORD_RESET] = services.password_reset_service(wiring)
    app[PASSWORD_CHANGE] = services.password_change_service(wiring)
    app[STEP_UP] = services.step_up_service(wiring)
    app[ACCOUNT] = services.account_service(wiring)
    app[CONTACT] = services.contact_service(wiring)
    app[EXPORT] = services.export_service(wiring)
    app[ADMINISTRATION] = services.administration(wiring)
    app[DEAD_LETTERS] = services.dead_letter_administration(wiring)
    app[AUDIT] = wiring.audit
    app[INBOX] = wiring.inbox
    yield


async def _purge(app: web.Application) -> AsyncIterator[None]:
    purge = services.purge_service(app[WIRING])
    async with run_periodically("purge", purge.run, pause=PURGE_SECONDS):
        yield


async def _delivery(app: web.Application) -> AsyncIterator[None]:
    if not app[r.SETTINGS].delivery_worker:
        yield
        return
    async with app[WIRING].run_delivery_worker():
        yield
