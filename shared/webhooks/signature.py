"""Signatures of webhooks, and the secrets that make them. Source: Standard Webhooks 1.0."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

from shared.entropy import Entropy
from shared.webhooks.model import WebhookMessage

PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
NEW_SECRET_BYTES = 32
ROTATION_OVERLAP = timedelta(hours=24)
"""For so long both secrets sign, so that a receiver can change to the new one meanwhile."""


def new_secret(entropy: Entropy) -> str:
    """Return a new secret, `whsec_…`."""
    return PREFIX + base64.b64encode(entropy.bytes(NEW_SECRET_BYTES)).decode()


def require_secret(text: str) -> str:
    """Return a secret as it is; its prefix may be missing.

    Raises:
        ValueError: it is not base64, or of another length. The library would accept both.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(
            f"expected {PREFIX} and base64 of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes"
        )
    return text


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The secret of an endpoint, and the one that it replaced."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)
    rotated_at: datetime | None = None

    def rotate(self, secret: str, at: datetime) -> "SigningSecrets":
        """Return the secrets after a rotation. At most two sign, so an older one ends."""
        return SigningSecrets(secret, self.current, at)

    def valid_at(self, at: datetime) -> tuple[str, ...]:
        """Return the secrets that sign at a time, the current one first."""
        if self.previous is None or self.rotated_at is None:
            return (self.current,)
        overlaps = at < self.rotated_at + ROTATION_OVERLAP
        return (self.current, self.previous) if overlaps else (self.current,)


def sign(message: WebhookMessage, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers of an attempt at a time, with a signature by each secret.

    The library reads the digits of any time as UTC, so it gets a time in UTC.
    """
    moment, text = at.astimezone(UTC), message.body.decode()
    signatures = [Webhook(secret).sign(message.id, moment, text) for secret in secrets]
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
