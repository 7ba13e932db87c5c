"""Settings of keys and secrets."""

from pathlib import Path

from pydantic import Field

from shared.settings import DatabaseUrl, EnvironmentSettings, Secrets, ServiceSettings
from shared.tokens import LONGEST_LIFE_SECONDS


class KeySettings(EnvironmentSettings):
    """The settings of the `keys` command, which needs neither database nor Redis."""

    jwt_private_keys_dir: Path = Field(
        description="directory of the private signing keys (`python -m auth_service keys`)"
    )
    jwks_file: Path | None = Field(
        None, description="where the `keys` command writes the public set, for other services"
    )
    access_token_ttl: int = Field(
        600, gt=0, le=LONGEST_LIFE_SECONDS, description="life of an access token, s"
    )


class SecretSettings(ServiceSettings):
    """The database's URL and the secrets of auth_service."""

    auth_database_url: DatabaseUrl = Field(description="PostgreSQL database of auth_service")
    secret_keys: Secrets = Field(
        description="comma-separated secrets, at least 32 bytes each: the first signs and "
        "encrypts, every one verifies and decrypts"
    )

    @property
    def secrets(self) -> list[bytes]:
        """Return the secret keys, the signing one first."""
        return [secret.get_secret_value().encode() for secret in self.secret_keys]
