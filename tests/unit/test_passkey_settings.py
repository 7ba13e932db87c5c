"""Settings of passkeys: wrong ones end start-up, since browsers would give no reason."""

import pytest

from tests.unit.test_settings import BASE, _empty_environment, load, refusal

__all__ = ["_empty_environment"]
KEY_HASH = "android:apk-key-hash:NztP-sfNqy2_XIe4erm4qR-w4eRJ2Dl6JduFbPCYHik"
PAGES = ("https://app.example.com", "https://example.com:8443")


def test_passkeys_without_settings_belong_to_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = load(monkeypatch, BASE | {"PUBLIC_URL": "https://id.example.com:8443/"})
    assert ours.relying_party_id == "id.example.com"
    assert ours.passkey_origins == ("https://id.example.com:8443",)


def test_passkeys_without_settings_in_development_belong_to_localhost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = load(monkeypatch, BASE)
    assert ours.relying_party_id == "localhost"
    assert ours.passkey_origins == ("http://localhost:8000",)


def test_origins_below_the_domain_are_accepted_as_browsers_write_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins = f"https://APP.example.com/, https://example.com:8443,{KEY_HASH}"
    values = {"PUBLIC_URL": "https://elsewhere.example", "WEBAUTHN_RP_ID": "Example.COM"}
    ours = load(monkeypatch, BASE | {**values, "WEBAUTHN_ORIGINS": origins})
    assert ours.relying_party_id == "example.com"
    assert ours.passkey_origins == (*PAGES, KEY_HASH)


@pytest.mark.parametrize("page", ["http://localhost:5173", "http://app.localhost:8000"])
def test_local_page_without_https_is_accepted(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    ours = load(monkeypatch, BASE | {"WEBAUTHN_RP_ID": "localhost", "WEBAUTHN_ORIGINS": page})
    assert ours.passkey_origins == (page,)


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8000", "http://[::1]:8000"])
def test_public_url_with_address_starts_without_passkey_settings(
    monkeypatch: pytest.MonkeyPatch, public_url: str
) -> None:
    ours = load(monkeypatch, BASE | {"PUBLIC_URL": public_url})
    assert ours.passkey_origins == (public_url,)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"WEBAUTHN_RP_ID": "127.0.0.1"}, "expected a name, such as localhost"),
        ({"WEBAUTHN_RP_ID": "::1"}, "expected a name, such as localhost"),
        ({"WEBAUTHN_RP_ID": "[::1]"}, "expected a name, such as localhost"),
        ({"WEBAUTHN_RP_ID": "https://example.com"}, "without scheme and port"),
        ({"WEBAUTHN_RP_ID": "example.com:8443"}, "without scheme and port"),
        ({"WEBAUTHN_RP_ID": "bücher.example"}, "without scheme and port"),
        ({"WEBAUTHN_RP_ID": "example.com."}, "without scheme and port"),
        ({"WEBAUTHN_ORIGINS": "android:apk-key-hash:F8:2C"}, "SHA-256 of the app's signing"),
        ({"WEBAUTHN_ORIGINS": f"{KEY_HASH}="}, "43 characters"),
        ({"WEBAUTHN_ORIGINS": "app.example.com"}, "https or http://host[:port]"),
        ({"WEBAUTHN_ORIGINS": "https://app.example.com/login"}, "https or http://host[:port]"),
        ({"WEBAUTHN_ORIGINS": "*"}, "https or http://host[:port]"),
        (
            {"WEBAUTHN_RP_ID": "app.example.com", "WEBAUTHN_ORIGINS": ",".join(PAGES)},
            "app.example.com is neither the host of https://example.com:8443 nor a parent",
        ),
        ({"WEBAUTHN_RP_ID": "ample.com", "WEBAUTHN_ORIGINS": PAGES[0]}, "nor a parent domain"),
        ({"WEBAUTHN_RP_ID": "example.com"}, "neither the host of http://localhost:8000"),
        (
            {"WEBAUTHN_RP_ID": "example.com", "WEBAUTHN_ORIGINS": "http://app.example.com"},
            "http://app.example.com needs https",
        ),
        (
            {"WEBAUTHN_ORIGINS": PAGES[0], "PUBLIC_URL": "http://192.168.1.5:8000"},
            "WEBAUTHN_RP_ID: set it to a name, since PUBLIC_URL has the address 192.168.1.5",
        ),
    ],
)
def test_settings_without_a_working_passkey_are_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str | None], told: str
) -> None:
    (line,) = refusal(monkeypatch, BASE | values).splitlines()
    assert told in line


FINGERPRINT = ":".join(["1f"] * 32)


def test_apps_are_read_as_the_files_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    links = f"in.example.app/{FINGERPRINT}, in.example.app/{FINGERPRINT.upper().replace('F', '0')}"
    values = {"ANDROID_ASSET_LINKS": links, "APPLE_APP_IDS": "A1B2C3D4E5.com.example.app"}
    ours = load(monkeypatch, {**BASE, **values})
    assert ours.android_apps == {
        "in.example.app": [FINGERPRINT.upper(), FINGERPRINT.replace("f", "0")]
    }
    assert ours.apple_app_ids == ("A1B2C3D4E5.com.example.app",)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ANDROID_ASSET_LINKS", "in.example.app"),
        ("ANDROID_ASSET_LINKS", f"app/{FINGERPRINT}"),
        ("ANDROID_ASSET_LINKS", f"in.example.app/{FINGERPRINT[:-3]}"),
        ("ANDROID_ASSET_LINKS", f"in.example.app/{FINGERPRINT}:1F"),
        ("APPLE_APP_IDS", "com.example.app"),
        ("APPLE_APP_IDS", "a1b2c3d4e5.com.example.app"),
    ],
)
def test_apps_that_no_phone_would_know_end_start_up(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    assert setting in refusal(monkeypatch, BASE | {setting: value})
