"""The composition root: the HTTP application, the worker and the command line are built from it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property

from prometheus_client import CollectorRegistry

from auth_service.account.contact import ContactService
from auth_service.account.export import ExportService
from auth_service.account.lease import ExportLeases
from auth_service.account.service import AccountService
from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.factor_service import FactorAdministration
from auth_service.admin.service import UserAdministration
from auth_service.audit.service import AuditLog
from auth_service.delivery.console import Inbox
from auth_service.delivery.dead_letter_events import DeadLetterEvents
from auth_service.delivery.dead_letters import DeadLetters
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.provider import open_providers
from auth_service.delivery.queue import DeliveryConsumer, DeliveryProducer
from auth_service.delivery.recipient_locales import RecipientLocales
from auth_service.delivery.sender import Sender
from auth_service.delivery.template_check import load_templates
from auth_service.delivery.template_ids import check_template_ids
from auth_service.delivery.templates import Templates
from auth_service.delivery.worker import running_worker
from auth_service.device.model import DeviceTokens
from auth_service.device.service import KnownDevices
from auth_service.factor.changes import FactorChanges
from auth_service.factor.enrolment import EnrolmentService
from auth_service.factor.passkey_sign_in import PasskeySignIn
from auth_service.factor.recovery.service import RecoveryCodes
from auth_service.factor.resealing import SecretResealer
from auth_service.factor.service import FactorService
from auth_service.factor.sign_in import SecondFactorSignIn
from auth_service.factor.totp_seals import TotpSeals
from auth_service.factor.verification import FactorVerifier
from auth_service.keyring import Keyring
from auth_service.login.service import LoginService
from auth_service.notification.service import Notifications
from auth_service.otp.code_source import CodeSource
from auth_service.otp.funnel import CodeFunnel
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.otp.send_limiter import SendLimiter
from auth_service.otp.service import OtpChallenges
from auth_service.passkey.challenges import PasskeyChallenges
from auth_service.passkey.relying_party_loader import RelyingPartyLoader
from auth_service.passkey.service import Passkeys
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.change import PasswordChangeService
from auth_service.password.change_revocation import PasswordChangeRevocation
from auth_service.password.hasher import Hasher, open_hasher
from auth_service.password.service import PasswordResetService
from auth_service.password.tickets import ResetTickets
from auth_service.password.verifier import PasswordVerifier
from auth_service.purge.service import PurgeService
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.service import RateLimiter
from auth_service.rate_limit.usage import UsageLimits
from auth_service.registration.activation import ActivationService
from auth_service.registration.service import RegistrationService
from auth_service.revocation.service import Publisher
from auth_service.revocation.subscribers import Subscribers
from auth_service.session.model import SessionLifetimes
from auth_service.session.refresh import RefreshService
from auth_service.session.service import SessionService
from auth_service.session.sign_in.completion import SignInCompletion
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore
from auth_service.signing.service import Signer
from auth_service.signup.service import PhoneSignInService
from auth_service.step_up.recorder import AuthenticationRecorder
from auth_service.step_up.service import StepUpService
from auth_service.user.directory import AccountReader
from auth_service.webhook.messages import EventMessages
from auth_service.webhook.results import AuditedResults
from shared.clock import Clock
from shared.db import Database, open_database
from shared.entropy import Entropy
from shared.parts import Part
from shared.redis import BatchedRedis, open_redis
from shared.tokens import TokenVerifier
from shared.webhooks.delivery.fan_out import EventEncoder
from shared.webhooks.delivery.results import StoreResult
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.wiring import WebhookWiring

WEBHOOK_SECRET_LABEL = b"cheershare/operator-webhook-secret"


@dataclass(eq=False)
class Wiring(WebhookWiring):
    """The parts of auth_service: those that several features share, and each feature's service.

    A part that needs PostgreSQL, Redis or the hasher can be built while that resource is open.
    `registry`: where metrics are registered; by default one that nothing reads.
    """

    settings: AuthSettings
    _: KW_ONLY
    clock: Clock
    entropy: Entropy
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    database: Database = field(init=False)
    redis: BatchedRedis = field(init=False)
    hasher: Hasher = field(init=False)

    # Without any resource
    device_tokens = Part(DeviceTokens)
    totp_seals = Part(TotpSeals)
    relying_party_loader = Part(RelyingPartyLoader)
    metrics = Part(DeliveryMetrics)
    proof_of_work = Part(ProofOfWork)

    # With Redis
    inbox = Part(Inbox)
    dead_letters = Part(DeadLetters)
    producer = Part(DeliveryProducer)
    rate_limiter = Part(RateLimiter)
    usage_limits = Part(UsageLimits)
    devices = Part(KnownDevices)
    limiter = Part(SendLimiter)
    funnel = Part(CodeFunnel)
    notifications = Part(Notifications)
    leases = Part(ExportLeases)
    passkey_challenges = Part(PasskeyChallenges)

    # With the database
    locales = Part(RecipientLocales)
    audit = Part(AuditLog)
    dead_letter_events = Part(DeadLetterEvents)
    authentication_recorder = Part(AuthenticationRecorder)
    accounts = Part(AccountReader)
    tickets = Part(ResetTickets)
    secret_resealer = Part(SecretResealer)
    purge_service = Part(PurgeService)
    audited_results = Part(AuditedResults)

    # With both
    codes = Part(CodeSource)
    challenges = Part(OtpChallenges)
    invalidator = Part(CodeInvalidator)
    completion = Part(SignInCompletion)
    session_creator = Part(SessionCreator)
    change_revocation = Part(PasswordChangeRevocation)
    phone_sign_in = Part(PhoneSignInService)
    activation = Part(ActivationService)
    sessions = Part(SessionService)
    refresh = Part(RefreshService)
    passkeys = Part(Passkeys)
    recovery_codes = Part(RecoveryCodes)
    factor_verifier = Part(FactorVerifier)
    changes = Part(FactorChanges)
    factors = Part(FactorService)
    enrolment = Part(EnrolmentService)
    second_factor_sign_in = Part(SecondFactorSignIn)
    passkey_sign_in = Part(PasskeySignIn)
    account = Part(AccountService)
    contact = Part(ContactService)
    export = Part(ExportService)
    user_administration = Part(UserAdministration)
    factor_administration = Part(FactorAdministration)
    dead_letter_administration = Part(DeadLetterAdministration)

    # With the hasher too
    attempts = Part(PasswordAttempts)
    passwords = Part(PasswordVerifier)
    registration = Part(RegistrationService)
    login = Part(LoginService)
    password_reset = Part(PasswordResetService)
    password_change = Part(PasswordChangeService)
    step_up = Part(StepUpService)

    # Parts that take more than other parts

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.settings.secrets, self.entropy)

    @cached_property
    def templates(self) -> Templates:
        templates = load_templates(self.settings)
        check_template_ids(templates, self.settings)
        return templates

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
            self.settings.access_token_ttl,
        )

    @cached_property
    def publisher(self) -> Publisher:
        return Publisher(
            database=self.database,
            redis=self.redis,
            keys=self.revocation_keys,
            clock=self.clock,
            entropy=self.entropy,
            token_life=self.lifetimes.access_token,
            subscribers=self.subscribers,
        )

    @cached_property
    def subscribers(self) -> Subscribers:
        return Subscribers(
            redis=self.redis,
            keys=self.revocation_keys,
            clock=self.clock,
            entropy=self.entropy,
            max_staleness=self.settings.revocation_max_staleness,
        )

    @cached_property
    def event_messages(self) -> EventEncoder:
        return EventMessages()

    @property
    def store_result(self) -> StoreResult:
        return self.audited_results.store

    @cached_property
    def secret_sealer(self) -> SecretSealer:
        return SecretSealer(self.settings.secrets, self.entropy, WEBHOOK_SECRET_LABEL)

    @property
    def revocation_keys(self) -> list[bytes]:
        return [key.get_secret_value().encode() for key in self.settings.revocation_key]

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
                templates=self.templates,
                locales=self.locales,
                keyring=self.keyring,
                metrics=self.metrics,
                dead_letter_events=self.dead_letter_events,
                clock=self.clock,
                entropy=self.entropy,
            )
            consumer = DeliveryConsumer(self.redis, self.entropy.bytes(8).hex())
            async with running_worker(consumer, sender):
                yield
