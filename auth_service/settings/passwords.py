"""Settings of passwords: the cost of a hash, and how often one may be tried."""

import os

from pydantic import Field

from shared.limits import LimitedSettings, Rates, rates_field

MIN_ARGON2_MEMORY_KIB = 7168
"""Source: OWASP's cheat sheet on storing passwords, which wants more passes for so little."""


class PasswordSettings(LimitedSettings):
    """The settings of passwords."""

    limit_login_per_ip: Rates = rates_field(
        "60/minute",
        "passwords given from one address (IPv6: /64), by one known device, or in one session",
    )
    limit_login_failures: Rates = rates_field(
        "10/hour",
        "wrong passwords for one name as given, from one address or known device; in one session",
    )
    argon2_memory_kib: int = Field(
        19_456, ge=64, le=1_048_576, description="memory that one password hash takes, KiB"
    )
    argon2_time: int = Field(2, ge=1, le=20, description="passes over that memory")
    argon2_parallelism: int = Field(1, ge=1, le=8, description="lanes of one password hash")
    argon2_concurrency: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="password hashes at once; as many as there are cores when unset",
    )

    def password_problems(self) -> list[str]:
        """Return a line for a hash that is too cheap for production."""
        if self.production and self.argon2_memory_kib < MIN_ARGON2_MEMORY_KIB:
            return [f"ARGON2_MEMORY_KIB: at least {MIN_ARGON2_MEMORY_KIB} in production"]
        return []
