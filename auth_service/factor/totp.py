"""Codes of authenticator apps. Source: RFC 6238, with the defaults that every app knows."""

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime

from pyotp.totp import TOTP

SECRET_BYTES = 20
STEP_SECONDS = 30
TOLERATED_STEPS = (-1, 0, 1)
"""A code counts for a step before and after its own, since phones' clocks differ. RFC 6238 §5.2."""


def to_base32(secret: bytes) -> str:
    """Return the secret in base 32, as users type it into an app."""
    return base64.b32encode(secret).decode()


def matching_steps(secret: bytes, code: str, now: datetime) -> Iterator[int]:
    """Yield the time steps around `now` that the code belongs to; mostly none or one."""
    totp = TOTP(to_base32(secret))
    current = int(now.timestamp()) // STEP_SECONDS
    for offset in TOLERATED_STEPS:
        if hmac.compare_digest(totp.generate_otp(current + offset).encode(), code.encode()):
            yield current + offset


def otpauth_uri(secret: bytes, account: str, issuer: str) -> str:
    """Return the address that an app reads from a QR code."""
    return TOTP(to_base32(secret)).provisioning_uri(name=account, issuer_name=issuer)


def qr_svg(text: str) -> str:
    """Return the text as a QR code, an SVG element. It computes for some milliseconds."""
    import segno  # noqa: PLC0415 - 0.6 MiB and 10 ms, when needed

    return segno.make_qr(text, error="m").svg_inline(scale=4)
