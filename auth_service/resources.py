"""What handlers find on the application, by typed keys; `app.py` puts it there."""

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from auth_service.account.lease import ExportLeases
    from auth_service.admin.service import Administration
    from auth_service.audit.service import AuditLog
    from auth_service.delivery.console import Inbox
    from auth_service.delivery.dead_letters import DeadLetters
    from auth_service.delivery.metrics import DeliveryMetrics
    from auth_service.device.model import DeviceTokens
    from auth_service.device.service import KnownDevices
    from auth_service.keyring import Keyring
    from auth_service.notification.service import Notifications
    from auth_service.otp.invalidation import CodeInvalidator
    from auth_service.otp.service import Challenges
    from auth_service.parts import Parts
    from auth_service.password.hasher import Hasher
    from auth_service.password.policy import PasswordPolicy
    from auth_service.rate_limit.proof_of_work import ProofOfWork
    from auth_service.revocation.service import Publisher
    from auth_service.session.model import Caller, SessionLifetimes
    from auth_service.settings import AuthSettings
    from auth_service.signing.service import Signer
    from shared.clock import Clock
    from shared.db import Database
    from shared.entropy import Entropy
    from shared.redis import BatchedRedis
    from shared.tokens import TokenVerifier

SETTINGS: web.AppKey["AuthSettings"] = web.AppKey("settings")
CLOCK: web.AppKey["Clock"] = web.AppKey("clock")
ENTROPY: web.AppKey["Entropy"] = web.AppKey("entropy")
KEYRING: web.AppKey["Keyring"] = web.AppKey("keyring")
DEVICE_TOKENS: web.AppKey["DeviceTokens"] = web.AppKey("device_tokens")
DEVICES: web.AppKey["KnownDevices"] = web.AppKey("devices")
WORK: web.AppKey["ProofOfWork"] = web.AppKey("work")
LIVES: web.AppKey["SessionLifetimes"] = web.AppKey("lives")
VERIFIER: web.AppKey["TokenVerifier"] = web.AppKey("verifier")
SIGNER: web.AppKey["Signer"] = web.AppKey("signer")
DATABASE: web.AppKey["Database"] = web.AppKey("database")
REDIS: web.AppKey["BatchedRedis"] = web.AppKey("redis")
CHALLENGES: web.AppKey["Challenges"] = web.AppKey("challenges")
INVALIDATOR: web.AppKey["CodeInvalidator"] = web.AppKey("invalidator")
HASHER: web.AppKey["Hasher"] = web.AppKey("hasher")
POLICY: web.AppKey["PasswordPolicy"] = web.AppKey("policy")
PARTS: web.AppKey["Parts"] = web.AppKey("parts")
PUBLISHER: web.AppKey["Publisher"] = web.AppKey("publisher")
DELIVERY_METRICS: web.AppKey["DeliveryMetrics"] = web.AppKey("delivery_metrics")
AUDIT: web.AppKey["AuditLog"] = web.AppKey("audit")
ADMINISTRATION: web.AppKey["Administration"] = web.AppKey("administration")
DEAD_LETTERS: web.AppKey["DeadLetters"] = web.AppKey("letters")
NOTIFICATIONS: web.AppKey["Notifications"] = web.AppKey("notifications")
EXPORT_LEASES: web.AppKey["ExportLeases"] = web.AppKey("export_leases")
INBOX: web.AppKey["Inbox"] = web.AppKey("inbox")

CALLER: web.RequestKey["Caller"] = web.RequestKey("caller")
"""Who a request comes from; set before every handler whose operation needs a signed-in user."""
