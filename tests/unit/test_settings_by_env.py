"""The effect of settings in development and in production: pages, loopback addresses, limits."""

import pytest

from auth_service.settings import AuthSettings
from tests.unit.test_settings import BASE, PRODUCTION, _empty_environment, load

__all__ = ["_empty_environment"]


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://api.shop.localhost:8000", True),
        ("https://localhost.example", False),
        ("https://id.example", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0:8000", False),
    ],
)
def test_loopback_public_url_is_recognised(
    monkeypatch: pytest.MonkeyPatch, url: str, *, loopback: bool
) -> None:
    assert load(monkeypatch, BASE | {"PUBLIC_URL": url}).public_url_is_loopback is loopback


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://id.example", "https://id.example"),
        ("https://ID.Example:443/", "https://id.example"),
        ("https://id.example:8443", "https://id.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_public_origin_is_written_as_browsers_write_it(
    monkeypatch: pytest.MonkeyPatch, url: str, origin: str
) -> None:
    assert load(monkeypatch, BASE | {"PUBLIC_URL": url}).allowed_origins.own == origin


def test_cors_origins_are_normalized_and_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: dict[str, str | None] = {
        "CORS_ORIGINS": "https://App.example:443/, capacitor://localhost"
    }
    settings = load(monkeypatch, PRODUCTION | listed)
    assert settings.cors_origins == ("https://app.example", "capacitor://localhost")
    allowed = settings.allowed_origins
    assert {"https://app.example", "https://id.example"} <= allowed.listed | {allowed.own}
    assert "http://localhost:3000" not in allowed
    assert "http://localhost:3000" in load(monkeypatch, BASE).allowed_origins


def test_development_limits_wrong_attempts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, BASE | {"LIMIT_SEND_PER_IP": "7/hour"})
    on = {name for name in AuthSettings.limit_names() if getattr(settings, name)}
    assert on == {
        "limit_wrong_per_destination",
        "limit_wrong_per_ip",
        "limit_login_failures",
        "limit_send_per_ip",
    }
    assert settings.otp_cooldown == 30


def test_production_sets_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PRODUCTION)
    assert all(getattr(settings, name) for name in AuthSettings.limit_names())
