"""media_service's settings: what they accept, and what they say when they do not."""

from pathlib import Path

import pytest

from media_service.image.model import DEFAULT_MAX_PIXELS
from media_service.settings import MediaSettings
from media_service.storage_url import Bucket, Directory, parse_storage_url
from shared.limits import Rate
from shared.settings import load_settings

GOOD = {
    "ENV": "development",
    "MEDIA_DATABASE_URL": "postgresql://media@127.0.0.1/media",
    "REDIS_URL": "redis://127.0.0.1/0",
    "JWKS_FILE": "/run/jwks.json",
    "STORAGE_URL": "file:///srv/files",
    "REVOCATION_KEY": "first-key-0123456789-abcdefghijkl,second-key-0123456789-abcdefghijk",
    "MEDIA_SECRET_KEYS": "third-key-0123456789-abcdefghijkl,fourth-key-0123456789-abcdefghijk",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MediaSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_without_optional_values_use_defaults() -> None:
    settings = load_settings(MediaSettings)
    assert settings.max_upload_bytes == 10 * 1024 * 1024
    assert settings.max_image_pixels == DEFAULT_MAX_PIXELS
    assert settings.max_image_side == 12_000
    assert settings.image_workers >= 1
    assert settings.revocation_policy == "fail_closed"
    assert parse_storage_url(settings.storage_url) == Directory(Path("/srv/files"))
    assert [key[:6] for key in settings.revocation_keys] == [b"first-", b"second"]
    assert [key[:6] for key in settings.own_secrets] == [b"third-", b"fourth"]
    assert settings.previous_link_keys == ()
    assert "first-key" not in repr(settings)


def test_storage_url_with_escapes_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_URL", "file:///srv/my%20files")
    url = load_settings(MediaSettings).storage_url
    assert parse_storage_url(url) == Directory(Path("/srv/my files"))


def test_storage_url_of_bucket_has_endpoint_and_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_URL", "s3://my-bucket?endpoint=http://s3:9000&region=eu-west-1")
    monkeypatch.setenv("X_ACCEL_PREFIX", "/accel/")
    settings = load_settings(MediaSettings)
    assert parse_storage_url(settings.storage_url) == Bucket(
        "my-bucket", "http://s3:9000", "eu-west-1"
    )
    assert settings.redirect_prefix == ""
    monkeypatch.setenv("STORAGE_URL", "s3://my-bucket")
    assert parse_storage_url(load_settings(MediaSettings).storage_url) == Bucket(
        "my-bucket", None, None
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORAGE_URL", "ftp://bucket"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://bucket/folder"),
        ("STORAGE_URL", "s3://Bucket_1"),
        ("STORAGE_URL", "s3://bucket?endpoint=localhost:9000"),
        ("STORAGE_URL", "s3://bucket?colour=red"),
        ("STORAGE_URL", "/srv/files"),
        ("STORAGE_URL", "file://host/files"),
        ("STORAGE_URL", "file:relative"),
        ("STORAGE_URL", "file:///srv/%00"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_UPLOAD_BYTES", "10MB"),
        ("MAX_IMAGE_PIXELS", "120000001"),
        ("MAX_IMAGE_SIDE", "0"),
        ("IMAGE_WORKERS", "0"),
        ("REVOCATION_MAX_STALENESS", "-1"),
        ("REVOCATION_POLICY", "maybe"),
        ("MEDIA_DATABASE_URL", ""),
        ("MEDIA_SECRET_KEYS", ""),
        ("MEDIA_SECRET_KEYS", "short"),
        ("PREVIOUS_LINK_KEYS", "first-key-0123456789-abcdefghijkl"),
        ("PREVIOUS_LINK_KEYS", "1766000000:first-key"),
        ("X_ACCEL_PREFIX", "accel"),
        ("X_ACCEL_PREFIX", "/accel"),
    ],
)
def test_settings_invalid_value_is_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load_settings(MediaSettings)
    [line] = str(ended.value).splitlines()
    assert name in line


def test_limit_empty_is_off_in_development_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_CHANGES_PER_USER", "")
    assert load_settings(MediaSettings).limit_changes_per_user == ()
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setenv("PUBLIC_URL", "https://media.example")
    monkeypatch.setenv("REDIS_URL", "redis://user:redis-password@localhost")
    monkeypatch.setenv("REVOCATION_KEY", "uE4bN8wK1xR6tM9qC2zP7fV3hJ5gS0dL")
    monkeypatch.setenv("MEDIA_SECRET_KEYS", "sK7dW3aY9eU1oI5rT8bV2nM6xQ4zL0cJ")
    with pytest.raises(SystemExit, match="LIMIT_CHANGES_PER_USER: may be off only in development"):
        load_settings(MediaSettings)
    monkeypatch.delenv("LIMIT_CHANGES_PER_USER")
    limits = load_settings(MediaSettings).limit_changes_per_user
    assert limits == (Rate(120, 60_000), Rate(1200, 3_600_000))
