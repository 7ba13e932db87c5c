"""Start-up: production refuses what an attacker could guess or claim; development names it.

Attacks: `SECRET_KEYS` of sixteen digits twice, equal to `REVOCATION_KEY`, with every address a
trusted proxy. All of it started.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from auth_service.settings import AuthSettings
from deploy.keys import StackSecrets
from media_service.settings import MediaSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.secret_strength import find_weakness
from shared.settings import ServiceSettings, load_settings
from shared.start_up import log_warnings

COMMON = {
    "ENV": "production",
    "PUBLIC_URL": "https://id.example",
    "REDIS_URL": "redis://user:redis-password@localhost",
    "REVOCATION_KEY": "uE4bN8wK1xR6tM9qC2zP7fV3hJ5gS0dL",
}
AUTH = COMMON | {
    "AUTH_DATABASE_URL": "postgresql://user:database-password@localhost/auth",
    "JWT_PRIVATE_KEYS_DIR": "/keys",
    "SECRET_KEYS": "wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0yA",
    "SMS_COUNTRIES": "IN",
    "SMS_PROVIDERS": "webhook",
    "SMS_WEBHOOK_URL": "https://sms.example",
    "SMS_WEBHOOK_SECRET": "whsec_C2BVuZEj8P5Wl0Zn7QmTtxk4yHsRgLdK",
}
MEDIA = COMMON | {
    "MEDIA_DATABASE_URL": "postgresql://user:database-password@localhost/media",
    "JWKS_FILE": "/keys/jwks.json",
    "STORAGE_URL": "file:///files",
    "MEDIA_SECRET_KEYS": "sK7dW3aY9eU1oI5rT8bV2nM6xQ4zL0cJ",
}
SERVICES: dict[str, tuple[type[ServiceSettings], dict[str, str]]] = {
    "auth_service": (AuthSettings, AUTH),
    "media_service": (MediaSettings, MEDIA),
}
WEAK = {
    "digits_twice": "8301746529384710" * 2,
    "digits_twice_and_more": "8301746529384710" * 2 + "!",
    "counted": "1234567890123456" * 2,
    "alphabet": "abcdefghijklmnopqrstuvwxyz0123456789",
    "keyboard": "qwertyuiopasdfghjklzxcvbnm1234567890",
    "words": "my-very-secret-production-key-1234567890",
    "change_me": "changeme-please-change-this-secret",
    "few_bytes": "abcabdabeabfacdaceacfadeadfaef" * 2,
    "short": "wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0",
    "example": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
}
SECRET_SETTINGS = [
    (service, name.upper())
    for service, (model, _) in SERVICES.items()
    for name, field in model.model_fields.items()
    if "tuple" in str(field.annotation) and "SecretStr" in str(field.annotation)
    if name != "previous_link_keys"  # made by a command, in a form of its own
]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AuthSettings.model_fields | MediaSettings.model_fields | {"media_secret_keys": 0}:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


def load(monkeypatch: pytest.MonkeyPatch, service: str, **changes: str) -> ServiceSettings:
    model, values = SERVICES[service]
    for name, value in (values | changes).items():
        monkeypatch.setenv(name, value)
    return load_settings(model)


def read_refusal(monkeypatch: pytest.MonkeyPatch, service: str, **changes: str) -> str:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, service, **changes)
    [line] = str(ended.value).splitlines()
    return line


@pytest.mark.parametrize("service", SERVICES)
def test_production_with_strong_secrets_starts(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    assert load(monkeypatch, service).production


def test_secret_settings_are_found_in_the_models() -> None:
    assert {name for _, name in SECRET_SETTINGS} >= {"SECRET_KEYS", "REVOCATION_KEY"}


@pytest.mark.parametrize("weak", WEAK.values(), ids=WEAK)
@pytest.mark.parametrize(("service", "name"), SECRET_SETTINGS)
def test_production_weak_secret_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, service: str, name: str, weak: str
) -> None:
    line = read_refusal(monkeypatch, service, **{name: weak})
    assert line.startswith("settings: ")
    assert f"{name}: " in line
    assert "expected" in line
    assert weak not in line


@pytest.mark.parametrize(("service", "name"), SECRET_SETTINGS)
def test_production_weak_secret_behind_a_strong_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, service: str, name: str
) -> None:
    listed = f"{SERVICES[service][1][name]},{WEAK['digits_twice']}"
    assert f"{name}: " in read_refusal(monkeypatch, service, **{name: listed})


@pytest.mark.parametrize(("service", "name"), SECRET_SETTINGS)
def test_production_weak_secret_in_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: str, name: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(WEAK["digits_twice"] + "\n")
    changes = {name: "", f"{name}_FILE": str(file)}
    assert f"{name}: " in read_refusal(monkeypatch, service, **changes)


def test_production_weak_webhook_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    line = read_refusal(monkeypatch, "auth_service", SMS_WEBHOOK_SECRET=example)
    assert "SMS_WEBHOOK_SECRET: an example that documents print" in line
    assert example not in line


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("auth_service", "SECRET_KEYS"),
        ("auth_service", "MEDIA_SECRET_KEYS"),
        ("auth_service", "SMS_WEBHOOK_SECRET"),
        ("media_service", "SECRET_KEYS"),
        ("media_service", "MEDIA_SECRET_KEYS"),
    ],
)
@pytest.mark.parametrize("mounted", [False, True], ids=["value", "file"])
def test_production_secret_with_two_uses_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: str, name: str, *, mounted: bool
) -> None:
    """A service is told of the other one's secrets where one environment holds them all."""
    reused = COMMON["REVOCATION_KEY"]
    changes = {name: reused}
    if mounted:
        file = tmp_path / "secret"
        file.write_text(reused)
        changes = {name: "", f"{name}_FILE": str(file)}
    line = read_refusal(monkeypatch, service, **changes)
    assert "the same secret more than once" in line
    assert name in line
    assert "REVOCATION_KEY" in line
    assert reused not in line


def test_production_secret_twice_in_one_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = f"{AUTH['SECRET_KEYS']},{AUTH['SECRET_KEYS']}"
    line = read_refusal(monkeypatch, "auth_service", SECRET_KEYS=twice)
    assert "SECRET_KEYS: the same secret more than once" in line


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "networks",
    [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8,0.0.0.0/0",
        "0.0.0.0/1,128.0.0.0/1",
        "8.0.0.0/7",
        ",".join(f"{first}.0.0.0/8" for first in range(256)),
        "2000::/3",
        "2000::/15",
    ],
)
def test_production_trusted_proxies_too_wide_are_refused(
    monkeypatch: pytest.MonkeyPatch, service: str, networks: str
) -> None:
    line = read_refusal(monkeypatch, service, TRUSTED_PROXIES=networks)
    assert "TRUSTED_PROXIES: holds the addresses of strangers" in line
    assert "at least /8, IPv6 /16" in line


@pytest.mark.parametrize(
    "networks",
    [
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
        "127.0.0.1",
        "::1",
        "fc00::/7",
        "fd00::/8",
        "100.64.0.0/10",
        "2400:cb00::/32,2606:4700::/32",
    ],
)
def test_production_trusted_proxies_of_one_operator_are_accepted(
    monkeypatch: pytest.MonkeyPatch, networks: str
) -> None:
    assert load(monkeypatch, "auth_service", TRUSTED_PROXIES=networks).trusted_proxies


@pytest.mark.parametrize("service", SERVICES)
def test_development_weak_settings_are_logged_as_warnings(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    weak = WEAK["digits_twice"]
    changes = {"REVOCATION_KEY": weak, "SECRET_KEYS": weak, "TRUSTED_PROXIES": "0.0.0.0/0"}
    settings = load(monkeypatch, service, ENV="development", **changes)
    with structlog.testing.capture_logs() as logs:
        log_warnings(settings, {})
    problems = [entry["problem"] for entry in logs]
    assert {entry["log_level"] for entry in logs} == {"warning"}
    for part in ("REVOCATION_KEY: a pattern", "the same secret", "TRUSTED_PROXIES: "):
        assert [one for one in problems if part in one]
    assert weak not in str(problems)


def test_generated_secrets_are_strong_and_different(tmp_path: Path) -> None:
    for folder in ("auth", "media", "postgres", "redis", "store"):
        (tmp_path / folder).mkdir()
    StackSecrets(tmp_path, SystemEntropy(), SystemClock()).create_missing()
    secrets = [path.read_text() for path in tmp_path.glob("*/*key*") if path.parent.name != "store"]
    assert len(secrets) >= 3
    assert [find_weakness(secret) for secret in secrets] == [None] * len(secrets)


def test_production_process_with_weak_secrets_exits_without_showing_them() -> None:
    weak = WEAK["digits_twice"]
    changes = {"SECRET_KEYS": weak, "REVOCATION_KEY": weak, "TRUSTED_PROXIES": "0.0.0.0/0"}
    ended = subprocess.run(
        [sys.executable, "-m", "auth_service", "serve"],
        env={**os.environ, **AUTH, **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    for name in changes:
        assert name in line
    assert weak not in ended.stdout + ended.stderr
