"""The one place where auth_service's parts are put together."""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from auth_service import resources as r
from auth_service.account.lease import ExportLeases
from auth_service.account.routes import routes as account_routes
from auth_service.admin.dead_letters import routes as letter_routes
from auth_service.admin.routes import routes as admin_routes
from auth_service.admin.service import Administration
from auth_service.audit.routes import routes as audit_routes
from auth_service.audit.service import AuditLog
from auth_service.delivery.bootstrap import WorkerParts, open_worker
from auth_service.delivery.console import Inbox
from auth_service.delivery.dead_letters import DeadLetters
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.routes import routes as development_routes
from auth_service.delivery.twilio_callbacks import routes as callback_routes
from auth_service.device.model import DeviceTokens
from auth_service.device.service import KnownDevices
from auth_service.keyring import Keyring
from auth_service.login.routes import routes as login_routes
from auth_service.notification.service import Notifications
from auth_service.otp.funnel import CodeFunnel
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.otp.service import Challenges
from auth_service.parts import Parts
from auth_service.password.hasher import open_hasher
from auth_service.password.policy import PasswordPolicy, common_passwords
from auth_service.password.routes import routes as password_routes
from auth_service.purge.service import Purge
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.service import RateLimiter
from auth_service.registration.routes import routes as registration_routes
from auth_service.revocation.metrics import register_publisher_metrics
from auth_service.revocation.service import Publisher
from auth_service.session.authentication import authenticate
from auth_service.session.model import SessionLifetimes
from auth_service.session.routes import routes as session_routes
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore
from auth_service.signing.routes import get_keys
from auth_service.signing.routes import routes as key_routes
from auth_service.signing.service import Signer
from auth_service.signup.routes import routes as signup_routes
from auth_service.step_up.routes import routes as step_up_routes
from shared.application import Interface, build_application
from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import watch_clock
from shared.db import open_database
from shared.entropy import Entropy
from shared.errors import RateLimited
from shared.health import READINESS
from shared.middleware import HTTP_METRICS
from shared.redis import open_redis
from shared.tokens import TokenVerifier

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
    letter_routes,
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
    app[r.SETTINGS], app[r.CLOCK], app[r.ENTROPY] = settings, clock, entropy
    keyring = app[r.KEYRING] = Keyring(settings.secrets, entropy)
    app[r.DEVICE_TOKENS] = DeviceTokens(keyring, clock, entropy)
    app[r.WORK] = ProofOfWork(keyring, clock, entropy)
    app[r.LIVES] = SessionLifetimes(
        absolute=timedelta(seconds=settings.refresh_token_ttl),
        idle=timedelta(seconds=settings.session_idle_ttl),
        refresh_grace=timedelta(seconds=settings.refresh_grace),
        access_token=timedelta(seconds=settings.access_token_ttl),
    )
    app[r.DELIVERY_METRICS] = DeliveryMetrics(app[HTTP_METRICS].registry)
    app[r.POLICY] = PasswordPolicy(common_passwords())
    app[r.VERIFIER] = TokenVerifier(settings.jwt_issuer, settings.jwt_audience, clock)
    app.cleanup_ctx.extend(
        [
            _database,
            _redis,
            _signer,
            _hasher,
            _challenges,
            _notices,
            _publisher,
            _parts,
            _purge,
            _delivery,
        ]
    )
    return app


async def _database(app: web.Application) -> AsyncIterator[None]:
    settings = app[r.SETTINGS]
    url, mounted = settings.auth_database_url, settings.mounted("auth_database_url")
    async with open_database(url.get_secret_value(), mounted=mounted) as database:
        app[r.DATABASE] = database
        app[r.AUDIT] = AuditLog(database, app[r.CLOCK], app[r.ENTROPY])
        readiness = app[READINESS]
        readiness.checks["database"] = database.reachable
        readiness.reasons["database"] = lambda: database.last_error
        async with watch_clock(database, app[r.CLOCK], readiness):
            yield


async def _purge(app: web.Application) -> AsyncIterator[None]:
    purge = Purge(app[r.DATABASE], app[r.AUDIT], app[r.CLOCK])
    async with run_periodically("purge", purge.run, pause=PURGE_SECONDS):
        yield


async def _redis(app: web.Application) -> AsyncIterator[None]:
    async with open_redis(app[r.SETTINGS].redis_url.get_secret_value()) as redis:
        app[r.REDIS] = redis
        app[READINESS].checks["redis"] = redis.reachable
        app[READINESS].reasons["redis"] = lambda: redis.last_error
        yield


async def _signer(app: web.Application) -> AsyncIterator[None]:
    settings = app[r.SETTINGS]
    signer = app[r.SIGNER] = Signer(
        KeyStore(settings.jwt_private_keys_dir),
        app[r.VERIFIER],
        app[r.CLOCK],
        app[r.ENTROPY],
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        life=settings.access_token_ttl,
    )

    async def has_key() -> bool:
        return signer.ready

    app[READINESS].checks["signing_key"] = has_key
    await signer.refresh()
    async with run_periodically("signing_keys", signer.refresh, pause=1):
        yield


async def _hasher(app: web.Application) -> AsyncIterator[None]:
    async with open_hasher(app[r.SETTINGS], app[r.CLOCK], app[r.ENTROPY]) as hasher:
        app[r.HASHER] = hasher
        yield


async def _challenges(app: web.Application) -> AsyncIterator[None]:
    redis, clock = app[r.REDIS], app[r.CLOCK]
    funnel = CodeFunnel(redis, clock, app[HTTP_METRICS].registry)
    app[r.DEVICES] = KnownDevices(redis, clock)
    app[r.INVALIDATOR] = CodeInvalidator(redis, app[r.DEVICES], clock)
    app[r.CHALLENGES] = Challenges(
        redis,
        app[r.KEYRING],
        app[r.SETTINGS],
        app[r.DELIVERY_METRICS],
        devices=app[r.DEVICES],
        proof_of_work=app[r.WORK],
        funnel=funnel,
        clock=clock,
        entropy=app[r.ENTROPY],
    )
    async with run_periodically("otp_funnel", funnel.measure, pause=FUNNEL_SECONDS):
        yield


async def _notices(app: web.Application) -> AsyncIterator[None]:
    app[r.DEAD_LETTERS] = DeadLetters(app[r.REDIS], app[r.KEYRING], app[r.CLOCK])
    app[r.NOTIFICATIONS] = Notifications(
        app[r.REDIS],
        app[r.KEYRING],
        app[r.SETTINGS],
        app[r.DELIVERY_METRICS],
        clock=app[r.CLOCK],
        entropy=app[r.ENTROPY],
    )
    yield


async def _publisher(app: web.Application) -> AsyncIterator[None]:
    settings = app[r.SETTINGS]
    publisher = app[r.PUBLISHER] = Publisher(
        app[r.DATABASE],
        app[r.REDIS],
        [key.get_secret_value().encode() for key in settings.revocation_key],
        clock=app[r.CLOCK],
        entropy=app[r.ENTROPY],
        token_life=timedelta(seconds=settings.access_token_ttl),
    )
    app[r.ADMINISTRATION] = Administration(
        app[r.DATABASE],
        publisher,
        app[r.INVALIDATOR],
        app[r.AUDIT],
        app[r.LIVES],
        clock=app[r.CLOCK],
    )
    register_publisher_metrics(app[HTTP_METRICS].registry, publisher)
    app[READINESS].checks["revocations"] = publisher.ready
    async with run_periodically("publisher", publisher.reconcile, pause=1):
        yield
    await publisher.close()


async def _parts(app: web.Application) -> AsyncIterator[None]:
    clock, entropy = app[r.CLOCK], app[r.ENTROPY]
    database, notifications, audit = app[r.DATABASE], app[r.NOTIFICATIONS], app[r.AUDIT]
    devices, lives = app[r.DEVICES], app[r.LIVES]
    app[r.EXPORT_LEASES] = ExportLeases(app[r.REDIS], entropy)
    app[r.PARTS] = Parts(
        settings=app[r.SETTINGS],
        clock=clock,
        entropy=entropy,
        keyring=app[r.KEYRING],
        database=database,
        challenges=app[r.CHALLENGES],
        invalidator=app[r.INVALIDATOR],
        rate_limiter=RateLimiter(app[r.REDIS], clock),
        hasher=app[r.HASHER],
        policy=app[r.POLICY],
        opener=SessionCreator(
            database,
            devices,
            notifications,
            audit,
            lives,
            publisher=app[r.PUBLISHER],
            clock=clock,
            entropy=entropy,
        ),
        publisher=app[r.PUBLISHER],
        notifications=notifications,
        device_tokens=app[r.DEVICE_TOKENS],
        devices=devices,
        audit=audit,
        lives=lives,
    )
    yield


async def _delivery(app: web.Application) -> AsyncIterator[None]:
    settings, metrics = app[r.SETTINGS], app[r.DELIVERY_METRICS]
    app[r.INBOX] = Inbox(app[r.REDIS], app[r.KEYRING], app[r.CLOCK])
    if not settings.delivery_worker:
        yield
        return
    parts = WorkerParts(app[r.REDIS], app[r.KEYRING], app[r.INBOX], app[r.CLOCK], app[r.ENTROPY])
    async with open_worker(settings, parts, metrics):
        yield
