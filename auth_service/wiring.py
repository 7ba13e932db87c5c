"""The composition root: the HTTP application, the worker and the command line are built from it.

Each part is built once, when it is first needed. A part that needs PostgreSQL, Redis or the hasher
can be built while that resource is open.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from prometheus_client import CollectorRegistry

from auth_service.audit.service import AuditLog
from auth_service.delivery.console import Inbox
from auth_service.delivery.dead_letters import DeadLetters
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.provider import open_providers
from auth_service.delivery.queue import DeliveryConsumer, DeliveryProducer
from auth_service.delivery.sender import Sender
from auth_service.delivery.templates import Templates
from auth_service.delivery.worker import running_worker
from auth_service.device.model import DeviceTokens
from auth_service.device.service import KnownDevices
from auth_service.keyring import Keyring
from auth_service.notification.service import Notifications
from auth_service.otp.funnel import CodeFunnel
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.otp.send_limiter import SendLimiter
from auth_service.otp.service import OtpChallenges
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.hasher import Hasher, open_hasher
from auth_service.password.new_passwords import NewPasswords
from auth_service.password.replacement import PasswordReplacement
from auth_service.password.verifier import PasswordVerifier
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.service import RateLimiter
from auth_service.rate_limit.usage import UsageLimits
from auth_service.revocation.service import Publisher
from auth_service.session.model import SessionLifetimes
from auth_service.session.sign_in.completion import SignInCompletion
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore
from auth_service.signing.service import Signer
from auth_service.user.directory import AccountDirectory
from shared.clock import Clock
from shared.db import Database, open_database
from shared.entropy import Entropy
from shared.redis import BatchedRedis, open_redis
from shared.tokens import TokenVerifier


class Wiring:
    """The parts of auth_service that the services of its features share."""

    database: Database
    redis: BatchedRedis
    hasher: Hasher

    def __init__(
        self,
        settings: AuthSettings,
        *,
        clock: Clock,
        entropy: Entropy,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """`registry`: where metrics are registered; by default one that nothing reads."""
        self.settings = settings
        self.clock = clock
        self.entropy = entropy
        self.registry = registry or CollectorRegistry()

    @asynccontextmanager
    async def open_database(self) -> AsyncIterator[Database]:
        """Open `database` inside the block."""
        url = self.settings.auth_database_url.get_secret_value()
        mounted = self.settings.mounted_file("auth_database_url")
        async with open_database(url, mounted=mounted) as self.database:
            yield self.database

    @asynccontextmanager
    async def open_redis(self) -> AsyncIterator[BatchedRedis]:
        """Open `redis` inside the block."""
        async with open_redis(self.settings.redis_url.get_secret_value()) as self.redis:
            yield self.redis

    @asynccontextmanager
    async def open_hasher(self) -> AsyncIterator[Hasher]:
        """Open `hasher` inside the block."""
        async with open_hasher(self.settings, self.clock, self.entropy) as self.hasher:
            yield self.hasher

    @asynccontextmanager
    async def run_delivery_worker(self) -> AsyncIterator[None]:
        """Send deliveries inside the block."""
        async with open_providers(self.settings, self.inbox, self.clock) as providers:
            sender = Sender(
                providers=providers,
                templates=Templates({"product": self.settings.product_name}),
                keyring=self.keyring,
                metrics=self.delivery_metrics,
                clock=self.clock,
                entropy=self.entropy,
            )
            consumer = DeliveryConsumer(self.redis, self.entropy.bytes(8).hex())
            async with running_worker(consumer, sender):
                yield

    # ------------------------------------------------------------------ without any resource

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.settings.secrets, self.entropy)

    @cached_property
    def lifetimes(self) -> SessionLifetimes:
        return SessionLifetimes.of(self.settings)

    @cached_property
    def verifier(self) -> TokenVerifier:
        return TokenVerifier(self.settings.jwt_issuer, self.settings.jwt_audience, self.clock)

    @cached_property
    def signer(self) -> Signer:
        return Signer(
            KeyStore(self.settings.jwt_private_keys_dir),
            self.verifier,
            self.clock,
            self.entropy,
            life=self.settings.access_token_ttl,
        )

    @cached_property
    def device_tokens(self) -> DeviceTokens:
        return DeviceTokens(self.keyring, self.clock, self.entropy)

    @cached_property
    def proof_of_work(self) -> ProofOfWork:
        return ProofOfWork(self.keyring, self.clock, self.entropy)

    @cached_property
    def delivery_metrics(self) -> DeliveryMetrics:
        return DeliveryMetrics(self.registry)

    # ------------------------------------------------------------------ with Redis

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.redis, self.keyring, self.clock)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self.redis, self.keyring, self.clock)

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        return RateLimiter(self.redis, self.clock)

    @cached_property
    def usage_limits(self) -> UsageLimits:
        return UsageLimits(self.rate_limiter, self.settings)

    @cached_property
    def devices(self) -> KnownDevices:
        return KnownDevices(self.redis, self.clock)

    @cached_property
    def invalidator(self) -> CodeInvalidator:
        return CodeInvalidator(self.redis, self.devices, self.clock)

    @cached_property
    def funnel(self) -> CodeFunnel:
        return CodeFunnel(self.redis, self.clock, self.registry, self.delivery_metrics)

    @cached_property
    def challenges(self) -> OtpChallenges:
        return OtpChallenges(
            redis=self.redis,
            keyring=self.keyring,
            settings=self.settings,
            limiter=SendLimiter(self.settings, self.devices, self.proof_of_work),
            funnel=self.funnel,
            clock=self.clock,
            entropy=self.entropy,
        )

    @cached_property
    def notifications(self) -> Notifications:
        return Notifications(
            redis=self.redis,
            producer=DeliveryProducer(self.redis),
            keyring=self.keyring,
            settings=self.settings,
            metrics=self.delivery_metrics,
            clock=self.clock,
            entropy=self.entropy,
        )

    # ------------------------------------------------------------------ with the database

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self.database, self.clock, self.entropy)

    @cached_property
    def accounts(self) -> AccountDirectory:
        return AccountDirectory(self.database, self.clock)

    # ------------------------------------------------------------------ with both

    @cached_property
    def publisher(self) -> Publisher:
        return Publisher(
            database=self.database,
            redis=self.redis,
            keys=[key.get_secret_value().encode() for key in self.settings.revocation_key],
            clock=self.clock,
            entropy=self.entropy,
            token_life=self.lifetimes.access_token,
        )

    @cached_property
    def session_creator(self) -> SessionCreator:
        return SessionCreator(
            database=self.database,
            completion=SignInCompletion(self.devices, self.notifications, self.publisher),
            audit=self.audit,
            lifetimes=self.lifetimes,
            clock=self.clock,
            entropy=self.entropy,
        )

    # ------------------------------------------------------------------ with the hasher too

    @cached_property
    def attempts(self) -> PasswordAttempts:
        return PasswordAttempts(self.rate_limiter, self.devices, self.settings)

    @cached_property
    def passwords(self) -> PasswordVerifier:
        return PasswordVerifier(self.database, self.hasher)

    @cached_property
    def new_passwords(self) -> NewPasswords:
        return NewPasswords(self.hasher, self.attempts)

    @cached_property
    def replacement(self) -> PasswordReplacement:
        return PasswordReplacement(
            database=self.database,
            invalidator=self.invalidator,
            audit=self.audit,
            lifetimes=self.lifetimes,
            notifications=self.notifications,
            publisher=self.publisher,
            clock=self.clock,
        )
