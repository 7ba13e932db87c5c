"""Misspelt settings: a variable that is nearly a setting is named with the setting it is near."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auth_service.settings import AuthSettings
from docs.generate import COMPOSE_ONLY
from media_service.settings import MediaSettings
from shared.settings import ServiceSettings
from shared.start_up import find_misspelt

MODELS: list[type[ServiceSettings]] = [AuthSettings, MediaSettings]
AUTH = [name.upper() for name in AuthSettings.model_fields]
OTHERS = [
    "PATH",
    "HOME",
    "HOSTNAME",
    "USER",
    "SHELL",
    "PWD",
    "TERM",
    "LANG",
    "TZ",
    "VIRTUAL_ENV",
    "PYTHONUNBUFFERED",
    "TMPDIR",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "COMPOSE_FILE",
    "PGHOST",
    "PGPORT",
    "PGPASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "REDIS_PORT",
    "REDIS_HOST",
    "KUBERNETES_PORT",
    "KUBERNETES_SERVICE_HOST",
    "HTTP_PROXY",
    "NO_PROXY",
    "GPG_KEY",
    "PYTHON_VERSION",
    "PORTS",
    "EVN",
]
MEDIA = [name.upper() for name in MediaSettings.model_fields]


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("REVOCATION_POLCY", "REVOCATION_POLICY"),
        ("REVOCATION_KEYS", "REVOCATION_KEY"),
        ("revocation_polcy", "REVOCATION_POLICY"),
        ("REVOCATION_KEYS_FILE", "REVOCATION_KEY_FILE"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("PUBLIC_URI", "PUBLIC_URL"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("MAX_UPLOAD_BYTE", "MAX_UPLOAD_BYTES"),
        ("MEDIA_DATABASE_URL_FIEL", None),
        ("MEDIA_DATABSE_URL_FILE", "MEDIA_DATABASE_URL_FILE"),
    ],
)
def test_misspelt_setting_is_found(given: str, nearest: str | None) -> None:
    found = find_misspelt([given], MEDIA)
    assert found == ({given: nearest} if nearest else {})


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("LIMIT_SEND_PER_ADDRESS", "LIMIT_SEND_PER_PREFIX"),
        ("OTP_LIFETIME", "OTP_TTL"),
        ("SMTP_HOST", "SMTP_URL"),
        ("TWILIO_SECRET", "TWILIO_API_SECRET"),
    ],
)
def test_unknown_name_with_a_settings_prefix_is_found(given: str, nearest: str) -> None:
    assert find_misspelt([given], AUTH) == {given: nearest}
    assert find_misspelt([given], MEDIA) == {}


def test_unknown_name_with_the_other_services_prefix_is_ignored() -> None:
    given = "LIMIT_CHANGES_PER_ACCOUNT"
    assert find_misspelt([given], MEDIA) == {given: "LIMIT_CHANGES_PER_USER"}
    assert find_misspelt([given], AUTH) == {}


@pytest.mark.parametrize("model", MODELS)
def test_names_of_the_other_service_and_programs_are_ignored(
    model: type[ServiceSettings],
) -> None:
    """One environment may hold every setting of both services, and does with `make run`."""
    both = {*AUTH, *MEDIA, "MEDIA_SECRET_KEYS", *COMPOSE_ONLY}
    known = [name.upper() for name in model.model_fields]
    given = [*both, *(f"{name}_FILE" for name in both), *OTHERS]
    assert set(find_misspelt(given, known)) <= {"PORTS"}


def test_process_warns_of_a_misspelt_setting_and_continues(tmp_path: Path) -> None:
    """The worker's command line warns as `serve` does; nothing that it needs is there."""
    environment = {
        **os.environ,
        "ENV": "development",
        "AUTH_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1",
        "JWT_PRIVATE_KEYS_DIR": str(tmp_path),
        "SECRET_KEYS": "wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0yA",
        "REVOCATION_KEY": "uE4bN8wK1xR6tM9qC2zP7fV3hJ5gS0dL",
        "ACCOUNT_DISCLOSRE": "conceal",
    }
    command = [sys.executable, "-m", "auth_service", "worker"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        process.communicate()
    assert "setting.unknown" in line
    assert "ACCOUNT_DISCLOSURE" in line
    assert '"level": "warning"' in line
    assert "conceal" not in line
