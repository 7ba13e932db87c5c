"""Settings: read once, frozen; a wrong value is one line with name, value and what is right."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from auth_service.settings import AuthSettings
from shared.settings import ServiceSettings, load_settings

STRONG = "wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0yA"
OTHER = "uE4bN8wK1xR6tM9qC2zP7fV3hJ5gS0dL"
BASE: dict[str, str | None] = {
    "ENV": "development",
    "AUTH_DATABASE_URL": "postgresql://user:database-password@localhost/auth",
    "REDIS_URL": "redis://user:redis-password@localhost",
    "JWT_PRIVATE_KEYS_DIR": "/keys",
    "SECRET_KEYS": STRONG,
    "REVOCATION_KEY": OTHER,
}
PRODUCTION = BASE | {
    "ENV": "production",
    "PUBLIC_URL": "https://id.example",
    "SMS_COUNTRIES": "IN",
    "SMS_PROVIDERS": "twilio",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "twilio-secret",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServiceSettings.model_fields | AuthSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


def load(monkeypatch: pytest.MonkeyPatch, values: dict[str, str | None]) -> AuthSettings:
    for name, value in values.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return load_settings(AuthSettings)


def refusal(monkeypatch: pytest.MonkeyPatch, values: dict[str, str | None]) -> str:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, values)
    return str(ended.value)


@pytest.mark.parametrize(
    ("name", "given", "accepted"),
    [
        ("ENV", "prod", "'production' or 'development'"),
        ("PORT", "eighty", "integer"),
        ("PORT", "70000", "65535"),
        ("DRAIN_SECONDS", "-1", "greater than or equal to 0"),
        ("LOG_LEVEL", "loud", "'debug'"),
        ("OTP_TTL", "601", "less than or equal to 600"),
        ("LIMIT_SEND_PER_IP", "often", "rate limit"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "network"),
        ("DEFAULT_REGION", "XX", "two-letter region such as IN"),
        ("SMS_PROVIDERS", "pigeon", "'console'"),
        ("DEFAULT_LOCALE", "deutsch!", "should match pattern"),
        ("BRAND_COLOR", "red;}", "should match pattern"),
        ("BRAND_LOGO_URL", "javascript:alert(1)", "https://"),
        ("TEMPLATES_DIR", "/nowhere", "directory"),
        ("RESET_URL", "app.example/reset", "https://"),
        ("SMS_WEBOTP_HOST", "https://app.example", "should match pattern"),
        ("SMS_ANDROID_HASH", "short", "should match pattern"),
        ("PUBLIC_URL", "ftp://id.example", "http or https://host[:port]"),
        ("PUBLIC_URL", "http://id.example/path", "http or https://host[:port]"),
        ("PUBLIC_URL", "http://id.example?x=1", "http or https://host[:port]"),
        ("PUBLIC_URL", "http://id.example:port", "http or https://host[:port]"),
        ("PUBLIC_URL", "http://user@id.example", "http or https://host[:port]"),
        ("PUBLIC_URL", "http://[::1", "http or https://host[:port]"),
        ("PUBLIC_URL", "id.example", "http or https://host[:port]"),
        ("CORS_ORIGINS", "*", "scheme://host[:port]"),
        ("CORS_ORIGINS", "null", "scheme://host[:port]"),
    ],
)
def test_invalid_value_is_one_line_with_name_value_and_expectation(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, accepted: str
) -> None:
    text = refusal(monkeypatch, BASE | {name: given})
    (line,) = text.splitlines()
    assert line.startswith("settings: ")
    assert name in line
    assert given in line
    assert accepted in line


@pytest.mark.parametrize("name", [name for name in BASE if name != "ENV"])
def test_missing_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (line,) = refusal(monkeypatch, BASE | {name: None}).splitlines()
    assert line.startswith(f"settings: {name}: Field required; ")


def test_invalid_values_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(monkeypatch, BASE | {"PORT": "x", "OTP_TTL": "y", "SECRET_KEYS": None})
    names = [line.split(": ")[1] for line in text.splitlines()]
    assert sorted(names) == ["OTP_TTL", "PORT", "SECRET_KEYS"]


@pytest.mark.parametrize("name", ["SECRET_KEYS", "REVOCATION_KEY"])
@pytest.mark.parametrize(
    "weak",
    ["changeme", "x" * 31, "x" * 64, "123456789" * 8, f"{STRONG},short", f"short,{STRONG}", ","],
)
def test_weak_secret_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, weak: str
) -> None:
    (line,) = refusal(monkeypatch, BASE | {name: weak}).splitlines()
    assert line.startswith(f"settings: {name}: ")
    assert not [part for part in weak.split(",") if part and part in line]


def test_secrets_list_is_read_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, BASE | {"SECRET_KEYS": f" {STRONG[::-1]} , {STRONG},"})
    assert [key.get_secret_value() for key in settings.secret_keys] == [STRONG[::-1], STRONG]


def test_printed_settings_hold_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(monkeypatch, PRODUCTION)
    for text in (repr(settings), str(settings), str(settings.model_dump())):
        for secret in (STRONG, "database-password", "redis-password", "twilio-secret"):
            assert secret not in text


def test_refusal_shows_no_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(monkeypatch, PRODUCTION | {"SMS_COUNTRIES": None, "REDIS_URL": None})
    for secret in (STRONG, "database-password", "redis-password", "twilio-secret"):
        assert secret not in text


def test_mounted_file_replaces_the_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{STRONG[::-1]}\n")
    values = BASE | {"SECRET_KEYS": None, "SECRET_KEYS_FILE": str(secret)}
    settings = load(monkeypatch, values)
    assert [key.get_secret_value() for key in settings.secret_keys] == [STRONG[::-1]]


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_unreadable_file_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00secret")
    values = BASE | {"SECRET_KEYS": None, "SECRET_KEYS_FILE": str(path)}
    (line,) = refusal(monkeypatch, values).splitlines()
    assert line.startswith("settings: ")
    assert str(path) in line
    assert "secret\n" not in line


def test_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, BASE | {"PORT": "", "PUBLIC_URL": ""}).port == 8000


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"PUBLIC_URL": None}, "PUBLIC_URL: expected https://host"),
        ({"PUBLIC_URL": "http://id.example"}, "PUBLIC_URL: expected https://host"),
        ({"CORS_ORIGINS": "http://a.example"}, "CORS_ORIGINS: https in production"),
        ({"SMS_COUNTRIES": None}, "SMS_COUNTRIES: required in production"),
        ({"SMS_PROVIDERS": None}, "SMS_PROVIDERS: required in production"),
        ({"SMS_PROVIDERS": "twilio,console"}, "console exists only in development"),
        ({"OTP_COOLDOWN": "0"}, "OTP_COOLDOWN: may be off only in development"),
        ({"TWILIO_ACCOUNT_SID": None}, "TWILIO_ACCOUNT_SID: required"),
        ({"TWILIO_AUTH_TOKEN": None}, "TWILIO_AUTH_TOKEN or TWILIO_API_KEY: required"),
        ({"TWILIO_PHONE_NUMBER": None}, "TWILIO_PHONE_NUMBER or"),
        ({"SECRET_KEYS": "changeme"}, "SECRET_KEYS: "),
        ({"REDIS_URL": "redis://redis:6379/0"}, "REDIS_URL: with a user and a password"),
        ({"TWILIO_BASE_URL": "http://sms.example"}, "TWILIO_BASE_URL: https in production"),
        ({"SMS_WEBHOOK_URL": "http://sms.example"}, "SMS_WEBHOOK_URL: https in production"),
        ({"RESET_URL": "http://app.example/reset"}, "RESET_URL: https in production"),
        ({"ACTIVATE_URL": "http://app.example"}, "ACTIVATE_URL: https in production"),
        ({"TEST_CODES": "+919999900001:123456"}, "TEST_CODES: in production only with"),
        ({"ARGON2_MEMORY_KIB": "1024"}, "ARGON2_MEMORY_KIB: at least 7168 in production"),
    ],
)
def test_production_invalid_settings_are_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], complaint: str
) -> None:
    (line,) = refusal(monkeypatch, PRODUCTION | changes).splitlines()
    assert complaint in line


def test_production_with_every_setting_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PRODUCTION)
    assert settings.production
    assert settings.public_url == settings.jwt_issuer == "https://id.example"


def test_production_with_allowed_test_codes_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: dict[str, str | None] = {
        "TEST_CODES": "+919999900001:123456,Asha@Example.com:000000",
        "ALLOW_TEST_CODES": "1",
    }
    settings = load(monkeypatch, PRODUCTION | codes)
    expected = {"+919999900001": "123456", "asha@example.com": "000000"}
    assert settings.code_by_test_address == expected
    assert "123456" not in repr(settings)


@pytest.mark.parametrize(
    "wrong", ["+919999900001:12345", "9999900001:123456", "+919999900001=123456", "asha:123456"]
)
def test_wrong_test_code_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    (line,) = refusal(
        monkeypatch, BASE | {"TEST_CODES": f"+919999900002:987654,{wrong}"}
    ).splitlines()
    assert line.startswith("settings: TEST_CODES: expected number:code or")
    assert "987654" not in line
    assert wrong not in line


def test_environment_unset_means_production(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PRODUCTION | {"ENV": None}).production


def test_development_needs_few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, BASE | {"PORT": "8123"})
    assert settings.public_url == settings.jwt_issuer == "http://localhost:8123"
    assert settings.sms_providers == ("console",)
    assert settings.sms_countries == ("*",)


def test_issuer_may_differ_from_the_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, BASE | {"JWT_ISSUER": "https://issuer.example"})
    assert settings.jwt_issuer == "https://issuer.example"


@pytest.mark.parametrize("field", ["port", "secret_keys", "public_url"])
def test_settings_are_frozen(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    settings: Any = load(monkeypatch, BASE)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, field, "other")


def test_settings_all_have_a_description() -> None:
    for name, field in AuthSettings.model_fields.items():
        assert re.search(r"\w{3}", field.description or ""), name
