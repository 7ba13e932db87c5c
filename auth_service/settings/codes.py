"""Settings of codes: their life, and how often they may be sent and tried."""

from typing import Literal

from pydantic import Field

from shared.limits import LimitedSettings, Rates, rates_field


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
        "15/hour;30/day", "codes and notices for one destination, whoever asks"
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

    def disabled_limits(self) -> list[str]:
        """Return a line for each limit that is off, the cooldown too."""
        off = [] if self.otp_cooldown else ["OTP_COOLDOWN: may be off only in development"]
        return [*super().disabled_limits(), *off]
