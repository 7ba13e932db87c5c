"""auth_service's settings: each field is an environment variable."""

from typing import Self

from pydantic import model_validator

from auth_service.settings.accounts import AccountSettings
from auth_service.settings.codes import CodeSettings
from auth_service.settings.factors import FactorSettings
from auth_service.settings.keys import KeySettings, SecretSettings
from auth_service.settings.messages import ACTIVATION_PAGE, RESET_PAGE, MessageSettings
from auth_service.settings.operator_webhooks import OperatorWebhookSettings
from auth_service.settings.passkeys import PasskeySettings
from auth_service.settings.passwords import PasswordSettings
from auth_service.settings.sessions import SessionSettings
from auth_service.settings.smtp import SmtpSettings
from auth_service.settings.twilio import TwilioSettings
from auth_service.settings.webhook import WebhookSettings


class AuthSettings(
    OperatorWebhookSettings,
    TwilioSettings,
    WebhookSettings,
    SmtpSettings,
    MessageSettings,
    AccountSettings,
    PasskeySettings,
    FactorSettings,
    PasswordSettings,
    CodeSettings,
    SessionSettings,
    SecretSettings,
    KeySettings,
):
    """The settings of auth_service; `docs/settings.md` lists those of the last base first."""

    @property
    def reset_page(self) -> str:
        """The page that mailed links to a new password lead to."""
        return self.reset_url or self._own_page(RESET_PAGE)

    @property
    def activation_page(self) -> str:
        """The page that mailed links of registrations lead to."""
        return self.activate_url or self._own_page(ACTIVATION_PAGE)

    def _own_page(self, path: str) -> str:
        return f"{self.public_url.rstrip('/')}/v1/auth{path}"

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            *self.delivery_problems(),
            *(self.disabled_limit_problems() if self.production else []),
            *self.password_problems(),
            *self.passkey_problems(),
            *self.webhook_problems(),
            *self.smtp_problems(),
            *self.twilio_problems(),
            *([*self.page_problems(), *self.test_code_problems()] if self.production else []),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self
