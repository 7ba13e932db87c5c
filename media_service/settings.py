"""media_service's settings: each field is an environment variable."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from media_service.quota.model import QuotaLimits
from media_service.storage_url import Directory, parse_storage_url
from shared.limits import LimitedSettings, Rates, rates_field
from shared.settings import DatabaseUrl, Secrets, split_list
from shared.webhooks.settings import WebhookSendingSettings

_PREVIOUS_LINK_KEY = re.compile(r"[0-9]{1,12}:[A-Za-z0-9_-]{43}")


def _require_storage_url(text: str) -> str:
    parse_storage_url(text)
    return text


def _internal_path(text: str) -> str:
    if text and not (text.startswith("/") and text.endswith("/")):
        raise ValueError("expected a path that begins and ends with /")
    return text


def _previous_link_key(text: SecretStr) -> SecretStr:
    if not _PREVIOUS_LINK_KEY.fullmatch(text.get_secret_value()):
        raise ValueError("expected what `python -m media_service previous-link-keys` prints")
    return text


class MediaSettings(WebhookSendingSettings, LimitedSettings):
    """The settings of media_service."""

    media_database_url: DatabaseUrl = Field(description="PostgreSQL database of media_service")
    jwks_file: Path = Field(
        description="public keys of auth_service; re-read when it changes, and a broken file keeps "
        "the last good set"
    )
    media_secret_keys: Secrets = Field(
        description="comma-separated secrets of media_service alone, at least 32 bytes each: the "
        "first signs links to pictures and encrypts webhooks' secrets, every one verifies and "
        "decrypts"
    )
    previous_link_keys: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_previous_link_key)], ...],
        NoDecode,
        BeforeValidator(split_list),
    ] = Field(
        (),
        description="verify the links that were made before `MEDIA_SECRET_KEYS`, for the 7 days "
        "after that upgrade (`python -m media_service previous-link-keys`)",
    )
    storage_url: Annotated[str, AfterValidator(_require_storage_url)] = Field(
        description="where files are kept: `file:///absolute/directory`, or "
        "`s3://bucket?endpoint=…&region=…` with credentials as every AWS tool finds them "
        "(`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SHARED_CREDENTIALS_FILE`, …)"
    )
    x_accel_prefix: Annotated[str, AfterValidator(_internal_path)] = Field(
        "",
        description="path of the nginx in front under which it finds the files of `STORAGE_URL`, "
        "as `/accel/`; it sends them then (`X-Accel-Redirect`)",
    )
    max_upload_bytes: int = Field(10_485_760, ge=1024, description="largest file taken in, bytes")
    max_image_pixels: int = Field(
        50_000_000,
        ge=1,
        le=120_000_000,
        description="largest image taken in, pixels; each process of `IMAGE_WORKERS` may need 22 "
        "bytes for each: 1.1 GB at the default, 2.7 GB at 120000000",
    )
    max_image_side: int = Field(
        12_000,
        ge=1,
        le=65_535,
        description="longest side of an image taken in, pixels; it needs no memory beyond that of "
        "`MAX_IMAGE_PIXELS`",
    )
    user_quota_bytes: int = Field(
        5_368_709_120,
        ge=0,
        le=2**60,
        description="what each user may store, bytes, `preview` and `thumb` too",
    )
    user_uploads_per_day: int = Field(
        500,
        ge=1,
        le=2**31 - 1,
        description="how often each user may upload, or offer a product, in a day (UTC)",
    )
    user_concurrent_uploads: int = Field(
        8, ge=1, le=10_000, description="how many uploads of each user may run at once"
    )
    limit_changes_per_user: Rates = rates_field(
        "120/minute;1200/hour",
        "changes that one user asks for; each process counts by itself, so replicas multiply it",
    )
    image_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="processes that decode images; as many as there are cores when unset",
    )
    publish_worker: bool = Field(
        True,
        description="whether `serve` also publishes what falls due and delivers webhooks; else "
        "`python -m media_service worker` does",
    )
    revocation_policy: Literal["fail_closed", "fail_open"] = Field(
        "fail_closed", description="`fail_open` lets tokens count that long out of touch"
    )

    @model_validator(mode="after")
    def _require_limits(self) -> Self:
        if self.production and (found := self.disabled_limit_problems()):
            raise ValueError("; ".join(found))
        return self

    @property
    def quota(self) -> QuotaLimits:
        """Return the limits of each user."""
        return QuotaLimits(
            self.user_quota_bytes, self.user_uploads_per_day, self.user_concurrent_uploads
        )

    @property
    def redirect_prefix(self) -> str:
        """Return `x_accel_prefix`; nothing where nginx cannot see the files."""
        is_directory = isinstance(parse_storage_url(self.storage_url), Directory)
        return self.x_accel_prefix if is_directory else ""

    @property
    def own_secrets(self) -> list[bytes]:
        """Return the secrets of media_service alone: the first signs and seals."""
        return [secret.get_secret_value().encode() for secret in self.media_secret_keys]

    @property
    def revocation_keys(self) -> list[bytes]:
        """Return the keys that may have signed a revocation message."""
        return [key.get_secret_value().encode() for key in self.revocation_key]
