"""Signatures that the official library verifies, and secrets that rotate."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.entropy import SystemEntropy
from shared.webhooks.model import WebhookMessage
from shared.webhooks.signature import SigningSecrets, new_secret, require_secret, sign

OLD, NEW = (new_secret(SystemEntropy()) for _ in range(2))
MESSAGE = WebhookMessage("msg_1", '{"name":"Käse 🧀"}'.encode())
NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)


def test_signature_known_vector_is_matched() -> None:
    """Source: the README of svix-webhooks, "Verifying webhooks"."""
    message = WebhookMessage("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = sign(message, [secret], datetime.fromtimestamp(1614265330, UTC))
    assert headers == {
        "webhook-id": message.id,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secrets", [[NEW], [NEW, OLD]])
def test_signature_by_each_secret_is_verified_over_the_exact_bytes(secrets: list[str]) -> None:
    headers = sign(MESSAGE, secrets, datetime.now(UTC))
    assert len(headers["webhook-signature"].split(" ")) == len(secrets)
    for secret in secrets:
        Webhook(secret).verify(MESSAGE.body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(MESSAGE.body + b" ", headers)
    if OLD not in secrets:
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(MESSAGE.body, headers)


def test_signature_time_of_another_zone_is_the_same_as_in_utc() -> None:
    local = NOON.astimezone(ZoneInfo("Asia/Kolkata"))
    assert sign(MESSAGE, [NEW], local) == sign(MESSAGE, [NEW], NOON)


def test_secrets_rotated_both_sign_for_24_hours() -> None:
    secrets = SigningSecrets(OLD).rotate(NEW, NOON)
    assert SigningSecrets(OLD).valid_at(NOON) == (OLD,)
    for before in (timedelta(), timedelta(hours=23, minutes=59), timedelta(minutes=-5)):
        assert secrets.valid_at(NOON + before) == (NEW, OLD)
    assert secrets.valid_at(NOON + timedelta(hours=24)) == (NEW,)


def test_secrets_rotated_twice_drop_the_oldest() -> None:
    newest = new_secret(SystemEntropy())
    secrets = SigningSecrets(OLD).rotate(NEW, NOON).rotate(newest, NOON + timedelta(hours=1))
    assert secrets.valid_at(NOON + timedelta(hours=2)) == (newest, NEW)


def test_secrets_are_not_shown() -> None:
    shown = repr(SigningSecrets(OLD).rotate(NEW, NOON))
    assert OLD not in shown
    assert NEW not in shown


def test_secret_new_one_is_valid_and_unlike_the_last() -> None:
    assert require_secret(NEW) == NEW != OLD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_not base64 at all!",
        "whsec_" + b64encode(bytes(23)).decode(),
        "whsec_" + b64encode(bytes(65)).decode(),
        "whsec_" + b64encode(bytes(32)).decode().rstrip("="),
        "whsec_" + "é" * 44,
    ],
)
def test_secret_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        require_secret(text)
