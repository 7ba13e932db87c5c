"""auth_service's settings: each field is an environment variable."""

import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from shared.limits import LimitedSettings, Rates, rates_field
from shared.settings import (
    DatabaseUrl,
    EnvironmentSettings,
    Secrets,
    Words,
    is_loopback,
    split_list,
    url_with_scheme,
)
from shared.tokens import LONGEST_LIFE_SECONDS

ANY_COUNTRY = "*"
RESERVED_USERNAMES = (
    *("admin", "administrator", "root", "superuser", "sysadmin", "system", "staff", "moderator"),
    *("support", "help", "helpdesk", "security", "abuse", "info", "contact", "official"),
    *("api", "www", "mail", "postmaster", "hostmaster", "webmaster", "noreply", "mailerdaemon"),
    *("cheershare", "me", "null", "undefined", "anonymous", "everyone", "nobody"),
)
"""Names of the service, of its domain's mailboxes (RFC 2142), and of missing values."""
MIN_ARGON2_MEMORY_KIB = 7168
"""Source: OWASP's cheat sheet on storing passwords, which wants more passes for so little."""
MIN_WEBHOOK_BYTES, MAX_WEBHOOK_BYTES = 24, 64
"""Source: Standard Webhooks, "Signature scheme"."""


def _region(text: str) -> str:
    if text not in SUPPORTED_REGIONS:
        message = "expected a two-letter region such as IN"
        raise ValueError(message)
    return text


def _regions(words: tuple[str, ...]) -> tuple[str, ...]:
    return words if words == (ANY_COUNTRY,) else tuple(_region(word) for word in words)


SmtpUrl = Annotated[SecretStr, url_with_scheme("smtp", "smtps")]
WebUrl = Annotated[str, url_with_scheme("https", "http")]


def _webhook_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if text and not MIN_WEBHOOK_BYTES <= len(key) <= MAX_WEBHOOK_BYTES:
        message = f"expected whsec_ and base64 of {MIN_WEBHOOK_BYTES} to {MAX_WEBHOOK_BYTES} bytes"
        raise ValueError(message)
    return secret


class KeySettings(EnvironmentSettings):
    """The settings of the `keys` command, which needs neither database nor Redis."""

    jwt_private_keys_dir: Path = Field(
        description="directory of the private signing keys (`python -m auth_service keys`)"
    )
    jwks_file: Path | None = Field(
        None, description="where the `keys` command writes the public set, for other services"
    )
    access_token_ttl: int = Field(
        600, gt=0, le=LONGEST_LIFE_SECONDS, description="life of an access token, s"
    )


class AuthSettings(KeySettings, LimitedSettings):
    """The settings of auth_service."""

    auth_database_url: DatabaseUrl = Field(description="PostgreSQL database of auth_service")
    refresh_token_ttl: int = Field(
        2_592_000, gt=0, description="nothing of a session outlives this, from sign-in, s"
    )
    session_idle_ttl: int = Field(1_209_600, gt=0, description="an unused session ends after, s")
    refresh_grace: int = Field(
        10, ge=0, le=60, description="how long the previous refresh token may be repeated, s"
    )
    secret_keys: Secrets = Field(
        description="comma-separated secrets, at least 32 bytes each: the first signs and "
        "encrypts, every one verifies and decrypts"
    )
    otp_ttl: int = Field(300, ge=60, le=600, description="life of a code, s")
    otp_cooldown: int = Field(
        30, ge=0, description="between two codes for one destination, s (0: off, development only)"
    )
    otp_max_attempts: int = Field(3, ge=1, le=10, description="wrong tries of one code")
    limit_send_per_destination: Rates = rates_field(
        "5/hour;10/day", "codes for one destination from one address, or for one known device"
    )
    limit_send_total_per_destination: Rates = rates_field(
        "15/hour;30/day", "codes and notices for one destination, whoever asks"
    )
    limit_send_per_ip: Rates = rates_field(
        "20/hour", "codes asked from one address (IPv6: /64, five times as many for a /48)"
    )
    limit_send_per_prefix: Rates = rates_field(
        "200/hour",
        "codes and notices for a country code and next three digits; empty: no breaker either",
    )
    limit_send_total: Rates = rates_field("5000/hour", "codes and notices in total")
    proof_of_work: Literal["blocked", "always", "off"] = Field(
        "blocked",
        description="when a code takes a proof of work: while its range of numbers is `blocked`, "
        "`always`, or never (`off`: a blocked range refuses)",
    )
    limit_wrong_per_destination: Rates = rates_field(
        "10/hour;20/day",
        "wrong codes for one destination; with a challenge handle, from one address",
    )
    limit_wrong_per_ip: Rates = rates_field("50/hour", "wrong codes from one address (IPv6: /64)")
    limit_login_per_ip: Rates = rates_field(
        "60/minute",
        "passwords given from one address (IPv6: /64), by one known device, or in one session",
    )
    limit_login_failures: Rates = rates_field(
        "10/hour",
        "wrong passwords for one name as given, from one address or known device; in one session",
    )
    limit_writes_per_session: Rates = rates_field(
        "60/minute;600/hour", "changes that one session asks for; those that end access are free"
    )
    limit_writes_per_user: Rates = rates_field(
        "120/minute;1200/hour", "changes that all sessions of one user ask for"
    )
    limit_refresh_per_session: Rates = rates_field(
        "100/minute;600/hour", "refresh tokens that one session exchanges"
    )
    limit_refresh_per_user: Rates = rates_field(
        "300/minute;3000/hour", "refresh tokens that all sessions of one user exchange"
    )
    argon2_memory_kib: int = Field(
        19_456, ge=64, le=1_048_576, description="memory that one password hash takes, KiB"
    )
    argon2_time: int = Field(2, ge=1, le=20, description="passes over that memory")
    argon2_parallelism: int = Field(1, ge=1, le=8, description="lanes of one password hash")
    argon2_concurrency: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="password hashes at once; as many as there are cores when unset",
    )
    account_disclosure: Literal["reveal", "conceal"] = Field(
        "reveal", description="`conceal`: no answer tells whether an account exists"
    )
    reserved_usernames: Words = Field(
        RESERVED_USERNAMES,
        description="usernames that nobody may take, comma-separated; case and `.-_` do not count",
    )
    sms_countries: Annotated[Words, AfterValidator(_regions)] = Field(
        (),
        description="regions that codes are sent to, comma-separated; `*` for all "
        "(the default in development; required in production)",
    )
    default_region: Annotated[str, AfterValidator(_region)] = Field(
        "IN", description="region of a number without country code"
    )
    product_name: str = Field("Cheershare", description="what messages call the product")
    delivery_worker: bool = Field(
        True,
        description="whether `serve` also sends; else `python -m auth_service worker` does",
    )
    sms_providers: Annotated[
        tuple[Literal["console", "twilio", "webhook"], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        (),
        description="ordered list of `twilio`, `webhook` (`console` in development, its default)",
    )
    email_providers: Annotated[
        tuple[Literal["console", "smtp", "smtp2"], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        (), description="ordered list of `smtp`, `smtp2` (`console` in development, its default)"
    )
    smtp_url: SmtpUrl = Field(
        SecretStr(""),
        description="`smtp://user:password@host:port` (STARTTLS) or `smtps://…` (TLS)",
    )
    smtp2_url: SmtpUrl = Field(SecretStr(""), description="the same of a second server")
    mail_from: str = Field("", description="sender of mails: `Name <address>` or an address")
    sms_webhook_url: WebUrl = Field("", description="where the webhook provider posts messages")
    sms_webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] = Field(
        SecretStr(""), description="`whsec_…`: signs those posts (Standard Webhooks)"
    )
    twilio_account_sid: str = Field("", description="Twilio account")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="its token, or")
    twilio_api_key: str = Field("", description="an API key")
    twilio_api_secret: SecretStr = Field(SecretStr(""), description="with its secret")
    twilio_phone_number: str = Field("", description="sender's number, or")
    twilio_messaging_service_sid: str = Field("", description="a messaging service")
    twilio_base_url: WebUrl = Field("", description="another address of Twilio's API, for tests")

    @property
    def conceals(self) -> bool:
        """Whether no answer may reveal that an account exists."""
        return self.account_disclosure == "conceal"

    @property
    def secrets(self) -> list[bytes]:
        """Return the secret keys, the signing one first."""
        return [secret.get_secret_value().encode() for secret in self.secret_keys]

    def secret_lists(self) -> dict[str, tuple[str, ...]]:
        """Return the settings that hold our own secrets, by name."""
        webhook = self.sms_webhook_secret.get_secret_value().removeprefix("whsec_")
        return super().secret_lists() | ({"SMS_WEBHOOK_SECRET": (webhook,)} if webhook else {})

    @model_validator(mode="before")
    @classmethod
    def _development_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("env") != "development":
            return values
        providers = {"sms_providers": "console", "email_providers": "console"}
        return {"sms_countries": ANY_COUNTRY, **providers, **values}

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = []
        if not self.sms_countries:
            problems.append("SMS_COUNTRIES: required in production")
        if not self.sms_providers:
            problems.append("SMS_PROVIDERS: required in production")
        if self.production and "console" in (*self.sms_providers, *self.email_providers):
            problems.append("SMS_PROVIDERS, EMAIL_PROVIDERS: console exists only in development")
        problems += [*self.disabled_limits(), *self._plaintext_urls()] if self.production else []
        if self.production and self.argon2_memory_kib < MIN_ARGON2_MEMORY_KIB:
            problems.append(f"ARGON2_MEMORY_KIB: at least {MIN_ARGON2_MEMORY_KIB} in production")
        problems += self._missing_twilio_settings() if "twilio" in self.sms_providers else []
        problems += [
            f"{name}: required by a provider" for name in self._missing_provider_settings()
        ]
        for name, chosen in (("SMS", self.sms_providers), ("EMAIL", self.email_providers)):
            if len(set(chosen)) < len(chosen):
                problems.append(f"{name}_PROVIDERS: names a provider twice")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def disabled_limits(self) -> list[str]:
        """Return a line for each limit that is off, the cooldown too."""
        off = [] if self.otp_cooldown else ["OTP_COOLDOWN: may be off only in development"]
        return [*super().disabled_limits(), *off]

    def _plaintext_urls(self) -> list[str]:
        """Return the addresses that would get codes without encryption."""
        urls = {"SMS_WEBHOOK_URL": self.sms_webhook_url, "TWILIO_BASE_URL": self.twilio_base_url}
        parsed = {name: urlsplit(url) for name, url in urls.items()}
        return [
            f"{name}: https in production, except to this machine"
            for name, url in parsed.items()
            if url.scheme == "http" and not is_loopback(url.hostname or "")
        ]

    def _missing_provider_settings(self) -> list[str]:
        """Return the settings that a chosen provider needs and that are empty."""
        needed: dict[str, object] = {}
        if "webhook" in self.sms_providers:
            needed["SMS_WEBHOOK_URL"] = self.sms_webhook_url
            needed["SMS_WEBHOOK_SECRET"] = self.sms_webhook_secret.get_secret_value()
        if "smtp" in self.email_providers:
            needed["SMTP_URL"] = self.smtp_url.get_secret_value()
        if "smtp2" in self.email_providers:
            needed["SMTP2_URL"] = self.smtp2_url.get_secret_value()
        if {"smtp", "smtp2"} & set(self.email_providers):
            needed["MAIL_FROM"] = self.mail_from
        return [name for name, value in needed.items() if not value]

    def _missing_twilio_settings(self) -> list[str]:
        missing = [] if self.twilio_account_sid else ["TWILIO_ACCOUNT_SID"]
        if self.twilio_api_key and not self.twilio_api_secret.get_secret_value():
            missing.append("TWILIO_API_SECRET")
        if not (self.twilio_auth_token.get_secret_value() or self.twilio_api_key):
            missing.append("TWILIO_AUTH_TOKEN or TWILIO_API_KEY")
        if not (self.twilio_phone_number or self.twilio_messaging_service_sid):
            missing.append("TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID")
        return [f"{name}: required by the twilio provider" for name in missing]
