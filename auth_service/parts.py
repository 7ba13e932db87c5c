"""What the ways in and the ways back in stand on; `app.py` puts it together."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth_service.minimum_duration import minimum_duration

if TYPE_CHECKING:
    from auth_service.audit.service import AuditLog
    from auth_service.device.model import DeviceTokens
    from auth_service.device.service import KnownDevices
    from auth_service.keyring import Keyring
    from auth_service.notification.service import Notifications
    from auth_service.otp.invalidation import CodeInvalidator
    from auth_service.otp.service import Challenges
    from auth_service.password.hasher import Hasher
    from auth_service.password.policy import PasswordPolicy
    from auth_service.rate_limit.service import RateLimiter
    from auth_service.revocation.service import Publisher
    from auth_service.session.model import SessionLifetimes
    from auth_service.session.sign_in.service import SessionCreator
    from auth_service.settings import AuthSettings
    from shared.clock import Clock
    from shared.db import Database
    from shared.entropy import Entropy


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a use case may take, once, so that each need not name ten things."""

    settings: "AuthSettings"
    clock: "Clock"
    entropy: "Entropy"
    keyring: "Keyring"
    database: "Database"
    challenges: "Challenges"
    invalidator: "CodeInvalidator"
    rate_limiter: "RateLimiter"
    hasher: "Hasher"
    policy: "PasswordPolicy"
    opener: "SessionCreator"
    publisher: "Publisher"
    notifications: "Notifications"
    device_tokens: "DeviceTokens"
    devices: "KnownDevices"
    audit: "AuditLog"
    lives: "SessionLifetimes"

    @property
    def conceals(self) -> bool:
        """Whether no answer may tell that an account exists."""
        return self.settings.conceals

    def concealing(self) -> AbstractAsyncContextManager[object]:
        """Enter what looks an address up: where accounts are concealed, so is the time it takes."""
        return minimum_duration() if self.conceals else nullcontext()
