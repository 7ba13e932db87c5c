"""What is measured: durable embedded servers, a signing key, services as real processes."""

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore, to_jwks, write_atomically
from deploy.databases import DATABASES, create_databases
from deploy.local.data_dir import DataDir
from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey
from deploy.redis_acl import AUTH_ACL, MEDIA_ACL, acl_hash
from migrations.run import FOLDERS, migrate_up
from tests.bench.child import BenchError, Child
from tests.support.ports import own_port
from tests.support.tokens import Mint

ISSUER = "http://127.0.0.1:8000"
AUDIENCE = "cheershare"
KEPT = ("PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV")
COMMIT_TIMES = "alter system set track_commit_timestamp = on"  # when a logout was committed
TAKEN = ("DATABASE_URL", "REDIS_URL")


class Stack:
    """PostgreSQL and Valkey of our own, which rows may freeze and wipe; a context manager."""

    def __init__(self, folder: Path, *, profiles: Path | None = None) -> None:
        for name in TAKEN:  # never somebody else's servers
            os.environ.pop(name, None)
        self.folder = folder
        self._profiles = profiles
        self._data_dir = DataDir(folder / "stack")
        secret = self._data_dir.secret
        self.postgres = Postgres(self._data_dir.postgres, password=secret("postgres"))
        self.valkey = Valkey(
            self._data_dir.valkey,
            port=own_port(),
            acl=[
                f"auth on {acl_hash(secret('redis_auth'))} {AUTH_ACL}",
                f"media on {acl_hash(secret('redis_media'))} {MEDIA_ACL}",
                f"bench on {acl_hash(secret('redis_bench'))} ~* &* +@all",
            ],
        )

    def __enter__(self) -> Self:
        try:
            self.postgres.start()
            self.valkey.start()
            asyncio.run(self._prepare())
            self.postgres.stop()
            self.postgres.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.valkey.stop()
        self.postgres.stop()

    async def _prepare(self) -> None:
        passwords = {name: self._data_dir.secret(f"postgres_{name}") for name in DATABASES}
        await create_databases(self.postgres.dsn("postgres"), passwords, close_all=True)
        for name in DATABASES:
            await migrate_up(self.dsn(name), FOLDERS / name)
        administrator = await asyncpg.connect(self.postgres.dsn("postgres"))
        await administrator.execute(COMMIT_TIMES)
        await administrator.close()
        store = KeyStore(self._data_dir.private_keys)
        store.create("EdDSA", signs_from=datetime.now(UTC))
        key_set = to_jwks(store.load())
        write_atomically(self._data_dir.jwks, json.dumps(key_set), mode=0o644)

    def dsn(self, database: str) -> str:
        """URL of a service's database, as that service connects to it."""
        return self.postgres.dsn(database, database, self._data_dir.secret(f"postgres_{database}"))

    def revocation_key(self) -> bytes:
        return self._data_dir.secret("revocation_key").encode()

    def redis_url(self, user: str = "bench") -> str:
        return self.valkey.url(user, self._data_dir.secret(f"redis_{user}"))

    def redis(self) -> Redis:
        """A client that may do everything."""
        return Redis.from_url(self.redis_url(), protocol=2)

    def mint(self) -> Mint:
        """Signs tokens as auth_service does."""
        key = KeyStore(self._data_dir.private_keys).load()[0]
        return Mint(key.private, ISSUER, AUDIENCE, key.kid)

    def token(self, user_id: UUID, session_id: UUID) -> str:
        return self.mint().token(user_id, sid=str(session_id))

    def freeze_redis(self) -> None:
        os.kill(self._redis_pid(), signal.SIGSTOP)

    def thaw_redis(self) -> None:
        os.kill(self._redis_pid(), signal.SIGCONT)

    def kill_redis(self) -> None:
        os.kill(self._redis_pid(), signal.SIGKILL)

    def _redis_pid(self) -> int:
        if self.valkey.child_pid is None:
            raise BenchError("Valkey is not running")
        return self.valkey.child_pid

    def auth(self, *, module: str = "auth_service", **changes: str) -> Child:
        """auth_service with its limits off and no worker."""
        limits = {
            name.upper(): "" for name in AuthSettings.model_fields if name.startswith("limit_")
        }
        return self._service(
            "auth",
            [module, "serve"],
            limits
            | {
                "OTP_COOLDOWN": "0",
                "DELIVERY_WORKER": "false",
                "PUBLISH_WORKER": "false",
                "JWT_PRIVATE_KEYS_DIR": str(self._data_dir.private_keys),
                "SECRET_KEYS_FILE": str(self._data_dir.secret_file("secret_keys")),
            }
            | changes,
        )

    def media(self, **changes: str) -> Child:
        """media_service with its limit off and no publisher."""
        return self._service(
            "media",
            ["media_service", "serve"],
            {
                "STORAGE_URL": self._data_dir.storage.as_uri(),
                "MEDIA_SECRET_KEYS_FILE": str(self._data_dir.secret_file("media_secret_keys")),
                "LIMIT_CHANGES_PER_USER": "",
                "PUBLISH_WORKER": "false",
            }
            | changes,
        )

    def floors(self) -> Child:
        """The bare handlers, see `floors.py`."""
        environment = {
            "FLOOR_AUTH_DATABASE": self.dsn("auth"),
            "FLOOR_MEDIA_DATABASE": self.dsn("media"),
            "FLOOR_REDIS": self.redis_url(),
        }
        return self._child("floors", ["tests.bench.floors"], environment)

    def bare(self) -> Child:
        """A fixed answer, see `bare.py`."""
        return self._child("bare", ["tests.bench.bare"], {})

    def _service(self, name: str, arguments: list[str], changes: dict[str, str]) -> Child:
        environment = {
            "ENV": "development",
            "DRAIN_SECONDS": "0",
            "PUBLIC_URL": ISSUER,
            "REDIS_URL": self.redis_url(name),
            "JWKS_FILE": str(self._data_dir.jwks),
            "REVOCATION_KEY_FILE": str(self._data_dir.secret_file("revocation_key")),
            f"{name.upper()}_DATABASE_URL": self.dsn(name),
        }
        if self._profiles:
            self._profiles.mkdir(parents=True, exist_ok=True)
            file = self._profiles.resolve() / f"{name}.txt"
            arguments = ["tests.bench.profiled", str(file), *arguments]
        return self._child(name, arguments, environment | changes)

    def _child(self, name: str, arguments: list[str], changes: dict[str, str]) -> Child:
        port = own_port()
        kept = {key: os.environ[key] for key in KEPT if key in os.environ}
        environment = {**kept, **changes, "HOST": "127.0.0.1", "PORT": str(port)}
        return Child(arguments, port=port, env=environment, log=self.folder / f"{name}.log")
