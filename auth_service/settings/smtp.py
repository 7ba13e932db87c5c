"""Settings of the providers `smtp` and `smtp2`."""

from typing import Annotated

from pydantic import Field, SecretStr

from auth_service.settings.delivery import DeliverySettings
from shared.settings import url_with_scheme

SmtpUrl = Annotated[SecretStr, url_with_scheme("smtp", "smtps")]


class SmtpSettings(DeliverySettings):
    """The settings of mail servers."""

    smtp_url: SmtpUrl = Field(
        SecretStr(""),
        description="`smtp://user:password@host:port` (STARTTLS) or `smtps://…` (TLS)",
    )
    smtp2_url: SmtpUrl = Field(SecretStr(""), description="the same of a second server")
    mail_from: str = Field("", description="sender of mails: `Name <address>` or an address")

    def smtp_problems(self) -> list[str]:
        """Return a line for each setting that a chosen mail server needs and that is empty."""
        needed: dict[str, str] = {}
        if "smtp" in self.email_providers:
            needed["SMTP_URL"] = self.smtp_url.get_secret_value()
        if "smtp2" in self.email_providers:
            needed["SMTP2_URL"] = self.smtp2_url.get_secret_value()
        if needed:
            needed["MAIL_FROM"] = self.mail_from
        return [f"{name}: required by a provider" for name, value in needed.items() if not value]
