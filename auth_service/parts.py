"""What the ways in and the ways back in stand on; `app.py` puts it together."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth_service.minimum_duration import constant_time

if TYPE_CHECKING:
    from auth_service.audit.service import Audit
    from auth_service.device.model import DeviceTokens
    from auth_service.device.service import KnownDevices
    from auth_service.keyring import Keyring
    from auth_service.notification.service import Notifications
    from auth_service.otp.invalidation import CodeInvalidator
    from auth_service.otp.service import Challenges
    from auth_service.password.hasher import Hasher
    from auth_service.password.policy import Policy
    from auth_service.rate_limit.service import Throttle
    from auth_service.revocation.service import Publisher
    from auth_service.session.model import Lives
    from auth_service.session.sign_in.service import Opener
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
    throttle: "Throttle"
    hasher: "Hasher"
    policy: "Policy"
    opener: "Opener"
    publisher: "Publisher"
    notifications: "Notifications"
    device_tokens: "DeviceTokens"
    devices: "KnownDevices"
    audit: "Audit"
    lives: "Lives"

    @property
    def conceals(self) -> bool:
        """Whether no answer may tell that an account exists."""
        return self.settings.conceals

    def concealing(self) -> AbstractAsyncContextManager[object]:
        """Enter what looks an address up: where accounts are concealed, so is the time it takes."""
        return constant_time() if self.conceals else nullcontext()
