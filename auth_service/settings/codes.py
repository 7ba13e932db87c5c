"""Settings of codes: their life, and how often they may be sent and tried."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from shared.limits import LimitedSettings, Rates, rates_field

_TEST_CODE = re.compile(r"(?P<to>\+[1-9][0-9]{6,14}|[^\s:@,]+@[^\s:@,]+):(?P<code>[0-9]{6})")


def _require_test_codes(value: SecretStr) -> SecretStr:
    parts = [part.strip() for part in value.get_secret_value().split(",") if part.strip()]
    if not all(_TEST_CODE.fullmatch(part) for part in parts):
        raise ValueError("expected number:code or address:code, the number in E.164")
    return value


class CodeSettings(LimitedSettings):
    """The settings of one-time codes."""

    otp_ttl: int = Field(300, ge=60, le=600, description="life of a code, s")
    otp_cooldown: int = Field(
        30, ge=0, description="between two codes for one destination, s (0: off, development only)"
    )
    otp_max_attempts: int = Field(3, ge=1, le=10, description="wrong tries of one code")
    limit_send_per_destination: Rates = rates_field(
        "5/hour;10/day", "codes for one destination from one address, or for one known device"
    )
    limit_send_total_per_destination: Rates = rates_field(
        "15/hour;30/day", "codes and notices for one destination, from all clients together"
    )
    limit_send_per_ip: Rates = rates_field(
        "20/hour", "codes asked from one address (IPv6: /64, five times as many for a /48)"
    )
    limit_send_per_prefix: Rates = rates_field(
        "200/hour",
        "codes and notices for a country code and next three digits; empty: no breaker either",
    )
    limit_send_total: Rates = rates_field("5000/hour", "codes and notices in total")
    proof_of_work: Literal["blocked", "always", "off"] = Field(
        "blocked",
        description="when a code takes a proof of work: while its range of numbers is `blocked`, "
        "`always`, or never (`off`: a blocked range refuses)",
    )
    limit_wrong_per_destination: Rates = rates_field(
        "10/hour;20/day",
        "wrong codes for one destination; with a challenge handle, from one address",
    )
    limit_wrong_per_ip: Rates = rates_field("50/hour", "wrong codes from one address (IPv6: /64)")

    test_codes: Annotated[SecretStr, AfterValidator(_require_test_codes)] = Field(
        SecretStr(""),
        description="comma-separated `number:code` or `address:code`: these get no message, and "
        "their code is always this one; for reviewers and tests (production: with "
        "`ALLOW_TEST_CODES`)",
    )
    allow_test_codes: bool = Field(
        False, description="whether `TEST_CODES` counts in production, where anyone may try them"
    )

    @property
    def code_by_test_address(self) -> dict[str, str]:
        """The codes of `TEST_CODES` by their number or mail address."""
        found = _TEST_CODE.finditer(self.test_codes.get_secret_value().lower())
        return {one["to"]: one["code"] for one in found}

    def test_code_problems(self) -> list[str]:
        """Return a line when production would accept codes that are no secret."""
        if self.code_by_test_address and not self.allow_test_codes:
            return ["TEST_CODES: in production only with ALLOW_TEST_CODES=1"]
        return []

    def disabled_limit_problems(self) -> list[str]:
        """Return a line for each limit that is off, the cooldown too."""
        off = [] if self.otp_cooldown else ["OTP_COOLDOWN: may be off only in development"]
        return [*super().disabled_limit_problems(), *off]
