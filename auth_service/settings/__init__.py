"""auth_service's settings: each field is an environment variable."""

from typing import Self

from pydantic import model_validator

from auth_service.settings.accounts import AccountSettings
from auth_service.settings.codes import CodeSettings
from auth_service.settings.keys import KeySettings, SecretSettings
from auth_service.settings.messages import MessageSettings
from auth_service.settings.passwords import PasswordSettings
from auth_service.settings.sessions import SessionSettings
from auth_service.settings.smtp import SmtpSettings
from auth_service.settings.twilio import TwilioSettings
from auth_service.settings.webhook import WebhookSettings


class AuthSettings(
    TwilioSettings,
    WebhookSettings,
    SmtpSettings,
    MessageSettings,
    AccountSettings,
    PasswordSettings,
    CodeSettings,
    SessionSettings,
    SecretSettings,
    KeySettings,
):
    """The settings of auth_service; `docs/settings.md` lists those of the last base first."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            *self.delivery_problems(),
            *(self.disabled_limits() if self.production else []),
            *self.password_problems(),
            *self.webhook_problems(),
            *self.smtp_problems(),
            *self.twilio_problems(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self
