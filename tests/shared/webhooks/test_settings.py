"""The settings of webhooks: strict in production, this machine allowed in development."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.webhooks.destination import AddressRefused
from shared.webhooks.settings import WebhookSendingSettings

STRONG = "wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0yA"
COMMON: dict[str, Any] = {
    "redis_url": "redis://user:password@localhost",
    "revocation_key": STRONG,
}
PRODUCTION = {"env": "production", "public_url": "https://id.example"}
DEVELOPMENT = {"env": "development"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WebhookSendingSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], **environment: str
) -> WebhookSendingSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return WebhookSendingSettings(**COMMON, **values)


def accepts(settings: WebhookSendingSettings, url: str) -> bool:
    try:
        settings.webhook_policy.require_url(url)
    except AddressRefused:
        return False
    return True


def test_production_accepts_https_on_port_443_of_public_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(monkeypatch, PRODUCTION)
    assert accepts(settings, "https://receiver.example/")
    for url in (
        "http://receiver.example/",
        "http://receiver.example:443/",
        "https://receiver.example:8443/",
        "https://127.0.0.1/",
        "https://[::1]/",
    ):
        assert not accepts(settings, url)


def test_development_accepts_http_and_any_port_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(monkeypatch, DEVELOPMENT)
    for url in ("http://127.0.0.1:8000/", "http://[::1]:1/", "https://receiver.example:8443/"):
        assert accepts(settings, url)
    assert not accepts(settings, "http://10.0.0.1/")


def test_development_named_values_replace_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"WEBHOOK_PORTS": "8443", "WEBHOOK_ALLOW_NETWORKS": "10.0.0.0/8"}
    settings = load(monkeypatch, DEVELOPMENT, **named)
    assert accepts(settings, "http://10.0.0.1:8443/")
    assert not accepts(settings, "http://127.0.0.1:8443/")
    assert not accepts(settings, "http://10.0.0.1:443/")


def test_ports_are_listed_or_any(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = load(monkeypatch, PRODUCTION, WEBHOOK_PORTS="443, 8443")
    assert accepts(listed, "https://receiver.example:8443/")
    assert not accepts(listed, "https://receiver.example:22/")
    anywhere = load(monkeypatch, PRODUCTION, WEBHOOK_PORTS="*")
    assert accepts(anywhere, "https://receiver.example:22/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_PORTS", ","),
        ("WEBHOOK_PORTS", "0"),
        ("WEBHOOK_PORTS", "65536"),
        ("WEBHOOK_PORTS", "https"),
        ("WEBHOOK_ALLOW_NETWORKS", "10.0.0.0/33"),
        ("WEBHOOK_ALLOW_NETWORKS", "0.0.0.0/0"),
        ("WEBHOOK_ALLOW_NETWORKS", "0.0.0.0/1,128.0.0.0/1"),
        ("WEBHOOK_ALLOW_NETWORKS", "::/0"),
        ("WEBHOOK_TIMEOUT", "0"),
        ("WEBHOOK_TIMEOUT", "61"),
        ("WEBHOOK_ATTEMPTS", ","),
        ("WEBHOOK_ATTEMPTS", "0s,soon"),
        ("WEBHOOK_ATTEMPTS", "5"),
        ("WEBHOOK_ATTEMPTS", "-5s"),
        ("WEBHOOK_ATTEMPTS", "0s,3d,3d"),
        ("WEBHOOK_ATTEMPTS", ",".join(["1s"] * 21)),
        ("WEBHOOK_DISABLE_AFTER", "0s"),
        ("WEBHOOK_DISABLE_AFTER", "5"),
        ("WEBHOOK_DISABLE_AFTER", "5d,1d"),
    ],
)
def test_value_that_is_wrong_in_production_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError):
        load(monkeypatch, PRODUCTION, **{name: value})


def test_attempts_are_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PRODUCTION, WEBHOOK_ATTEMPTS="0s, 90s,5m,2h,1d")
    assert settings.webhook_attempts == (
        timedelta(),
        timedelta(seconds=90),
        timedelta(minutes=5),
        timedelta(hours=2),
        timedelta(days=1),
    )


def test_disable_after_is_a_span_of_5_days_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PRODUCTION).webhook_disable_after == timedelta(days=5)
    settings = load(monkeypatch, PRODUCTION, WEBHOOK_DISABLE_AFTER="36h")
    assert settings.webhook_disable_after == timedelta(hours=36)
