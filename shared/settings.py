"""Settings: environment variables read once at start-up into frozen models."""

import errno
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.networks import wide_networks_problem
from shared.origins import AllowedOrigins, is_local_page, is_secure, to_origin
from shared.secret_strength import find_reuse, find_weaknesses, require_length

SECRET_LISTS = ("SECRET_KEYS", "REVOCATION_KEY", "MEDIA_SECRET_KEYS")
"""Each has one purpose, so no two may share a secret, even across services."""


def split_list(value: object) -> object:
    """Turn comma-separated text into a list; return other values unchanged for validation."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Secrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(require_length)], ...],
    NoDecode,
    BeforeValidator(split_list),
    Field(min_length=1),
]
"""Comma-separated secrets: the first signs, every one verifies."""


def url_with_scheme(*schemes: str) -> AfterValidator:
    """Accept a URL with one of these schemes and a host; the text is kept as it is."""

    def check(value: SecretStr | str) -> SecretStr | str:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        parts = urlsplit(text)
        if text and (parts.scheme not in schemes or not (parts.hostname or parts.path)):
            raise ValueError(f"expected {' or '.join(f'{scheme}://…' for scheme in schemes)}")
        return value

    return AfterValidator(check)


DatabaseUrl = Annotated[SecretStr, url_with_scheme("postgresql", "postgres")]

Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)]
"""Comma-separated words."""

Origins = Annotated[
    tuple[Annotated[str, AfterValidator(to_origin)], ...], NoDecode, BeforeValidator(split_list)
]
"""Comma-separated origins of web pages."""

Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(split_list)]
"""Comma-separated addresses or networks in CIDR form."""


def _secret_texts(value: object) -> tuple[str, ...]:
    """Return the secrets of a setting, none when it is of another kind."""
    if not isinstance(value, tuple):
        return ()
    return tuple(secret.get_secret_value() for secret in value if isinstance(secret, SecretStr))


def _read_foreign_secrets(name: str) -> tuple[str, ...]:
    """Return the secrets that the environment holds for another service."""
    try:
        file = os.environ.get(f"{name}_FILE")
        text = os.environ.get(name) or (Path(file).read_text(encoding="utf-8") if file else "")
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(part.strip() for part in text.split(",") if part.strip())


class _MountedFiles(PydanticBaseSettingsSource):
    """`NAME_FILE=/run/secrets/x` stands for `NAME=<what the file holds>`."""

    def get_field_value(self, _field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        try:
            value = Path(path).read_text(encoding="utf-8").strip() if path else None
        except UnicodeDecodeError:
            raise OSError(errno.EILSEQ, "not UTF-8 text", path) from None
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class EnvironmentSettings(BaseSettings):
    """Settings from arguments, then the environment, then files that the environment names.

    A field's name in upper case is the variable's name, its description is its documentation.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first."""
        return init_settings, env_settings, _MountedFiles(settings_cls)


class ServiceSettings(EnvironmentSettings):
    """Settings that every service has; a service adds its own fields."""

    env: Literal["production", "development"] = Field(
        "production",
        description="`production` when unset; `docker-compose.yml` and `make run` set "
        "`development`, `deploy/production.yml` sets `production`. `development` opens the console "
        "provider and its inbox",
    )
    host: str = Field(
        "127.0.0.1", description="address to listen on, or `unix:/path` for a Unix socket"
    )
    port: int = Field(8000, ge=0, le=65535, description="port to listen on (0: any free one)")
    drain_seconds: float = Field(
        5, ge=0, description="on SIGTERM, how long to serve on while `/readyz` says no"
    )
    shutdown_grace: float = Field(
        60,
        ge=0,
        description="then, how long requests in hand may take, bodies that still arrive included",
    )
    public_url: str = Field(
        "",
        description="how clients reach us; https in production, where it is required; "
        "`http://localhost:PORT` in development",
    )
    redis_url: Annotated[SecretStr, url_with_scheme("redis", "rediss", "unix")] = Field(
        description="Redis, with this service's own user and password"
    )
    cors_origins: Origins = Field(
        (),
        description="origins of pages that may call from a browser besides `PUBLIC_URL`, as "
        "`https://app.example`; in development also any port of localhost, 127.0.0.1 and [::1]",
    )
    trusted_proxies: Networks = Field(
        (),
        description="networks whose `X-Forwarded-For` counts (with or without a port; what is no "
        "address is refused); a Unix socket's peer always does; "
        "in production at least /8, IPv6 /16 or in `fc00::/7`",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe event to log"
    )
    log_format: Literal["json", "console"] = Field("json", description="how a log line looks")
    jwt_issuer: str = Field("", description="`iss` of access tokens; `PUBLIC_URL` when unset")
    jwt_audience: str = Field("cheershare", description="`aud` of access tokens")
    revocation_key: Secrets = Field(
        description="comma-separated keys that sign revocation messages: first signs, all verify"
    )
    revocation_max_staleness: float = Field(
        3,
        gt=0,
        le=60,
        description="out of touch with revocations for longer, no token counts, s; for auth_service"
        " the longest of any service",
    )

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: dict[str, Any]) -> dict[str, Any]:
        filled = dict(values)
        if not filled.get("public_url") and filled.get("env") == "development":
            filled["public_url"] = f"http://localhost:{filled.get('port', 8000)}"
        if not filled.get("jwt_issuer"):
            filled["jwt_issuer"] = filled.get("public_url", "")
        return filled

    @model_validator(mode="after")
    def _check_urls_and_secrets(self) -> Self:
        schemes = ("https",) if self.production else ("http", "https")
        try:
            to_origin(self.public_url, schemes)
        except ValueError as wrong:
            raise ValueError(f"PUBLIC_URL: {wrong} (given: {self.public_url!r})") from None
        url = urlsplit(self.redis_url.get_secret_value())
        if self.production and url.scheme != "unix" and not (url.username and url.password):
            raise ValueError("REDIS_URL: with a user and a password in production")
        if self.production and (found := self.find_weaknesses()):
            raise ValueError("; ".join(found))
        return self

    def secret_lists(self) -> dict[str, tuple[str, ...]]:
        """Return every setting that holds our own secrets, by its name."""
        lists = {
            name.upper(): _secret_texts(getattr(self, name)) for name in type(self).model_fields
        }
        return {name: texts for name, texts in lists.items() if texts}

    def find_weaknesses(self) -> list[str]:
        """Return a line for each fault that only development accepts."""
        ours = self.secret_lists()
        others = {name: _read_foreign_secrets(name) for name in SECRET_LISTS if name not in ours}
        found = [*find_weaknesses(ours), *find_reuse(ours | others)]
        wide = wide_networks_problem(self.trusted_proxies)
        found += [f"TRUSTED_PROXIES: {wide}"] if wide else []
        if not all(is_secure(origin) for origin in self.cors_origins):
            found.append("CORS_ORIGINS: https in production, except for pages of this machine")
        return found

    @staticmethod
    def mounted_file(name: str) -> Path | None:
        """Return the mounted file that holds a setting, None when no file does."""
        file = os.environ.get(f"{name.upper()}_FILE")
        return Path(file) if file and not os.environ.get(name.upper()) else None

    @property
    def production(self) -> bool:
        """Return whether the strict rules of a public installation hold."""
        return self.env == "production"

    @property
    def allowed_origins(self) -> AllowedOrigins:
        """Return the origins whose pages may use a browser's cookies, and read the answers."""
        listed = frozenset(self.cors_origins)
        return AllowedOrigins(to_origin(self.public_url), listed, development=not self.production)

    @property
    def public_url_is_loopback(self) -> bool:
        """Return whether only this machine can reach us under `PUBLIC_URL`."""
        return is_local_page(urlsplit(self.public_url).hostname or "")


S = TypeVar("S", bound=EnvironmentSettings)


def load_settings(model: type[S]) -> S:
    """Read the environment into `model`, or end the process with a line for each wrong value.

    Raises:
        SystemExit: a value is missing or wrong; its text names it and what is accepted.
    """
    try:
        return model()
    except ValidationError as wrong:
        raise SystemExit("\n".join(_error_lines(model, wrong))) from None
    except OSError as unreadable:
        raise SystemExit(
            f"settings: {unreadable.filename} cannot be read: {unreadable.strerror}"
        ) from None


def _error_lines(model: type[S], wrong: ValidationError) -> list[str]:
    lines: dict[str, str] = {}
    for error in wrong.errors(include_url=False):
        name = str(error["loc"][0]).upper() if error["loc"] else ""
        field = model.model_fields.get(name.lower())
        secret = field is None or "Secret" in str(field.annotation)
        given = "" if secret or error["type"] == "missing" else f" (given: {error['input']!r})"
        accepted = f"; {field.description}" if field else ""
        said = error["msg"].removeprefix("Value error, ")
        line = f"settings: {name}{': ' if name else ''}{said}{given}{accepted}"
        lines.setdefault(name, line)  # one line for each setting, however long its list
    return list(lines.values())
