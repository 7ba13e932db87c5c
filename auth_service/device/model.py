"""The device token: opaque, signed, bound to no account. It grants nothing.

A user may have its device remembered: it then stands for the second factor for some days.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.keyring import Keyring
from shared.clock import Clock
from shared.entropy import Entropy
from shared.opaque_tokens import decode_token, encode_token

ID_BYTES, TIME_BYTES, MAC_BYTES = 12, 4, 16
LIFE_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True, slots=True)
class RememberedDevice:
    """A device that signs in without the second factor until it expires."""

    id: UUID
    user_agent: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceTokens:
    """Issues and reads device tokens."""

    keyring: Keyring
    clock: Clock
    entropy: Entropy

    def generate_id(self) -> bytes:
        """Return the id of a device that has no token yet."""
        return self.entropy.bytes(ID_BYTES)

    def issue(self, device: bytes) -> str:
        """Return a token for the device, valid for 180 days from now."""
        body = device + int(self.clock.now().timestamp()).to_bytes(TIME_BYTES)
        return encode_token("chd_", body + self.keyring.mac("device", body)[:MAC_BYTES])

    def read(self, token: str | None) -> bytes | None:
        """Return the device's id; None for a token that is not ours, altered or expired."""
        secret = decode_token("chd_", token) if token else None
        if secret is None:
            return None
        body, mac = secret[:-MAC_BYTES], secret[-MAC_BYTES:]
        ours = [known[:MAC_BYTES] for known in self.keyring.macs("device", body)]
        if not any(hmac.compare_digest(mac, known) for known in ours):
            return None
        issued = int.from_bytes(body[ID_BYTES:])
        alive = self.clock.now().timestamp() < issued + LIFE_SECONDS
        return body[:ID_BYTES] if alive else None
