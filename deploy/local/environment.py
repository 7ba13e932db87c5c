"""The embedded servers, and the environment variables that each service gets.

A variable that the caller's environment sets wins over ours.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Self

from deploy.databases import DATABASES, create_databases
from deploy.local.data_dir import DataDir
from deploy.local.postgres import Postgres
from deploy.local.server import ServerError
from deploy.local.valkey import Valkey
from deploy.redis_acl import acl_hash, acl_user_lines
from migrations.run import FOLDERS, migrate_up
from shared.origins import AllowedOrigins, to_origin

WATCH_SECONDS = 0.5
SECRETS_BY_SERVICE = {
    "auth": (
        "AUTH_DATABASE_URL",
        "SECRET_KEYS",
        "SMS_WEBHOOK_SECRET",
        "SMTP_URL",
        "SMTP2_URL",
        "TEST_CODES",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_SECRET",
    ),
    "media": ("MEDIA_DATABASE_URL", "MEDIA_SECRET_KEYS", "PREVIOUS_LINK_KEYS"),
}
"""Secret settings that only one service reads; the other one does not get them."""


class EmbeddedServers:
    """A stack's PostgreSQL and Valkey, with a login for each service; a context manager."""

    def __init__(self, data_dir: DataDir) -> None:
        self.data_dir = data_dir
        self.postgres = Postgres(data_dir.postgres, password=data_dir.secret("postgres"))
        self.valkey = Valkey(
            data_dir.valkey,
            acl=acl_user_lines(
                {name: [acl_hash(data_dir.secret(f"redis_{name}"))] for name in DATABASES}
            ),
        )
        self._own = [one for one in (self.valkey, self.postgres) if not one.external_url]

    def __enter__(self) -> Self:
        try:
            self.postgres.start()
            self.valkey.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.valkey.stop()
        self.postgres.stop()

    def delete_data(self) -> bool:
        """Stop the servers and delete their data; False when another process owns one."""
        return all(server.delete_data() for server in self._own)

    async def watch(self) -> None:
        """Wait until an embedded server ends; the stack cannot go on without it.

        Raises:
            ServerError: a server has ended.
        """
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for server in self._own:
                if server.child_pid is None:
                    raise ServerError(f"{server.title} has ended; start again")

    @property
    def owned_by_other_process(self) -> bool:
        """Return whether another process owns a server, which would then end with that process."""
        return any(server.child_pid is None for server in self._own)

    async def create_and_migrate(self) -> None:
        """Create the databases that the environment does not name, and migrate both."""
        await self.create_missing_databases()
        for name in DATABASES:
            variables = service_environment(name, self, "")
            await migrate_up(variables[f"{name.upper()}_DATABASE_URL"], FOLDERS / name)

    async def create_missing_databases(self) -> None:
        """Create the databases and roles that the environment does not name."""
        own = {
            name: self.data_dir.secret(f"postgres_{name}")
            for name in DATABASES
            if not _is_set(f"{name.upper()}_DATABASE_URL", os.environ)
        }
        if own:
            administrator = self.postgres.dsn("postgres")
            await create_databases(administrator, own, close_all=not self.postgres.external_url)


def service_environment(service: str, servers: EmbeddedServers, public_url: str) -> dict[str, str]:
    """Return the environment of `auth` or `media`; the caller's variables replace ours."""
    data_dir = servers.data_dir
    defaults = {
        "ENV": "development",
        "LOG_FORMAT": "console",
        "DRAIN_SECONDS": "0",
        "PUBLIC_URL": public_url,
        "REDIS_URL": servers.valkey.url(service, data_dir.secret(f"redis_{service}")),
        "JWKS_FILE": str(data_dir.jwks),
        "REVOCATION_KEY_FILE": str(data_dir.secret_file("revocation_key")),
        f"{service.upper()}_DATABASE_URL": servers.postgres.dsn(
            service, service, data_dir.secret(f"postgres_{service}")
        ),
    }
    if service == "auth":
        defaults["JWT_PRIVATE_KEYS_DIR"] = str(data_dir.private_keys)
        defaults["SECRET_KEYS_FILE"] = str(data_dir.secret_file("secret_keys"))
    else:
        defaults["STORAGE_URL"] = data_dir.storage.as_uri()
        defaults["MEDIA_SECRET_KEYS_FILE"] = str(data_dir.secret_file("media_secret_keys"))
    missing = {name: value for name, value in defaults.items() if not _is_set(name, os.environ)}
    environment = {**os.environ, **missing}
    [other] = set(SECRETS_BY_SERVICE) - {service}
    for name in SECRETS_BY_SERVICE[other]:
        environment.pop(name, None)
        environment.pop(f"{name}_FILE", None)
    # Some shells set HOST, so the caller's HOST and PORT never count.
    return {**environment, "HOST": f"unix:{data_dir.socket(service)}", "PORT": "0"}


def read_origins(address: str) -> AllowedOrigins:
    """Return the origins whose pages may call, as the services read them.

    Raises:
        ValueError: a setting is no origin.
    """
    variables = {name: value for name, value in os.environ.items() if value}
    listed = variables.get("CORS_ORIGINS", "").split(",")
    try:
        return AllowedOrigins(
            to_origin(variables.get("PUBLIC_URL", address)),
            frozenset(to_origin(text.strip()) for text in listed if text.strip()),
            development=variables.get("ENV", "development") == "development",
        )
    except ValueError as wrong:
        raise ValueError(f"PUBLIC_URL or CORS_ORIGINS: {wrong}") from None


def _is_set(name: str, environment: Mapping[str, str]) -> bool:
    """Return whether the environment sets `name` or its `_FILE` variant."""
    plain = name.removesuffix("_FILE")
    return bool(environment.get(plain) or environment.get(f"{plain}_FILE"))
