"""The environment that the services get; what the caller's environment says wins."""

import asyncio
import os
from collections.abc import Mapping
from typing import Self

from deploy.databases import DATABASES, create_databases
from deploy.local.data_dir import Vault
from deploy.local.postgres import Postgres
from deploy.local.server import ServerError
from deploy.local.valkey import Valkey
from deploy.redis_acl import hashed, users
from migrations.run import FOLDERS, migrate_up

WATCH_SECONDS = 0.5
SECRETS_OF = {
    "auth": (
        "AUTH_DATABASE_URL",
        "SECRET_KEYS",
        "SMS_WEBHOOK_SECRET",
        "SMTP_URL",
        "SMTP2_URL",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_SECRET",
    ),
    "media": ("MEDIA_DATABASE_URL", "MEDIA_SECRET_KEYS", "PREVIOUS_LINK_KEYS"),
}
"""Secret settings that one service alone reads; the other one does not get them."""


class Servers:
    """A stack's PostgreSQL and Valkey, with a login for each service; use as context manager."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.postgres = Postgres(vault.postgres, password=vault.secret("postgres"))
        self.valkey = Valkey(
            vault.valkey,
            acl=users({name: [hashed(vault.secret(f"redis_{name}"))] for name in DATABASES}),
        )

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

    def discard(self) -> bool:
        """Stop the servers and delete their data; False when another process owns them."""
        ours = [server for server in (self.valkey, self.postgres) if not server.external]
        return all(server.discard() for server in ours)

    async def watch(self) -> None:
        """Return never; a server of ours that ends takes the stack with it.

        Raises:
            ServerError: one has ended.
        """
        ours = [one for one in (self.postgres, self.valkey) if not one.external]
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for server in ours:
                if server.pid is None:
                    raise ServerError(f"{server.title} has ended; start again")

    @property
    def joined(self) -> bool:
        """Whether another process owns the servers, so that they would end with it."""
        return any(
            not server.external and server.pid is None for server in (self.postgres, self.valkey)
        )

    async def prepare(self) -> None:
        """Make the databases that the environment does not name, and bring all up to date."""
        await self.prepare_logins()
        for name in DATABASES:
            variables = service_environment(name, self, "")
            await migrate_up(variables[f"{name.upper()}_DATABASE_URL"], FOLDERS / name)

    async def prepare_logins(self) -> None:
        """Make the databases and roles that the environment does not name."""
        own = {
            name: self.vault.secret(f"postgres_{name}")
            for name in DATABASES
            if not _chosen(f"{name.upper()}_DATABASE_URL", os.environ)
        }
        if own:
            administrator = self.postgres.dsn("postgres")
            await create_databases(administrator, own, ours=not self.postgres.external)


def service_environment(service: str, servers: Servers, public_url: str) -> dict[str, str]:
    """Return the environment of `auth` or `media`: ours, overlaid by the caller's own."""
    vault = servers.vault
    ours = {
        "ENV": "development",
        "LOG_FORMAT": "console",
        "DRAIN_SECONDS": "0",
        "PUBLIC_URL": public_url,
        "REDIS_URL": servers.valkey.url(service, vault.secret(f"redis_{service}")),
        "JWKS_FILE": str(vault.jwks),
        "REVOCATION_KEY_FILE": str(vault.secret_file("revocation_key")),
        f"{service.upper()}_DATABASE_URL": servers.postgres.dsn(
            service, service, vault.secret(f"postgres_{service}")
        ),
    }
    if service == "auth":
        ours["JWT_PRIVATE_KEYS_DIR"] = str(vault.private_keys)
        ours["SECRET_KEYS_FILE"] = str(vault.secret_file("secret_keys"))
    else:
        ours["STORAGE_URL"] = vault.storage.as_uri()
        ours["MEDIA_SECRET_KEYS_FILE"] = str(vault.secret_file("media_secret_keys"))
    kept = {name: value for name, value in ours.items() if not _chosen(name, os.environ)}
    known = {**os.environ, **kept}
    [other] = set(SECRETS_OF) - {service}
    for name in SECRETS_OF[other]:
        known.pop(name, None)
        known.pop(f"{name}_FILE", None)
    # HOST is also a variable of some shells, so these two are always ours
    return {**known, "HOST": f"unix:{vault.socket(service)}", "PORT": "0"}


def _chosen(name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether the environment sets `name`, itself or by way of a file."""
    plain = name.removesuffix("_FILE")
    return bool(environment.get(plain) or environment.get(f"{plain}_FILE"))
