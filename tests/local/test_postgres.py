"""The embedded PostgreSQL: passwords, one owner, nothing left behind, nothing lost."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.server import ServerError
from deploy.local.server_paths import (
    FALLBACK_PARENT,
    ensure_data_dir,
    is_reachable_by_all,
    server_user,
)
from tests.local.processes import CHECKOUT, alive, until

PASSWORD = "p:w/x @1"


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A server that a test may kill, in a directory that only root may enter under root."""
    server = Postgres(tmp_path / "postgres", durable=False, password=PASSWORD)
    yield server
    server.delete_data()


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_postgres_wrong_password_is_refused(own_postgres: Postgres) -> None:
    own_postgres.start()
    assert await value(own_postgres.dsn("postgres"), "select current_user") == "app"
    for wrong in ("", "guess"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(own_postgres.dsn("postgres", password=wrong))
    kept = stat.S_IMODE(own_postgres.data_dir.stat().st_mode)
    assert kept == 0o700


async def test_postgres_started_listens_on_loopback_in_utc(own_postgres: Postgres) -> None:
    dsn = own_postgres.start().dsn("postgres")
    assert await value(dsn, "show listen_addresses") == "127.0.0.1"
    assert await value(dsn, "show unix_socket_directories") == ""
    assert await value(dsn, "show timezone") == "UTC"
    assert await value(dsn, "show server_encoding") == "UTF8"


async def test_postgres_killed_keeps_data(own_postgres: Postgres) -> None:
    own_postgres.start()
    await value(own_postgres.dsn("postgres"), "create table kept as select 41 + 1 as answer")
    pid = own_postgres.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: own_postgres.child_pid is None)
    own_postgres.start()
    assert await value(own_postgres.dsn("postgres"), "select answer from kept") == 42


async def test_postgres_second_object_shares_the_server(own_postgres: Postgres) -> None:
    own_postgres.start()
    guest = Postgres(own_postgres.requested_dir, password=PASSWORD).start()
    assert guest.port == own_postgres.port
    guest.stop()
    assert await value(own_postgres.dsn("postgres"), "select 1") == 1


def test_postgres_started_by_many_processes_runs_once(own_postgres: Postgres) -> None:
    script = (
        "import sys, pathlib, time; from deploy.local.postgres import Postgres;"
        "s = Postgres(pathlib.Path(sys.argv[1]), durable=False, password=sys.argv[2]).start();"
        "print(s.port, s.child_pid, flush=True); sys.stdin.read(); s.stop()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, own_postgres.requested_dir, PASSWORD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        for _ in range(4)
    ]
    seen = [process.stdout.readline().split() for process in processes if process.stdout]
    for process in processes:
        process.communicate()
    assert len({port for port, _ in seen}) == 1
    assert sorted(pid == "None" for _, pid in seen) == [False, True, True, True]


def test_postgres_killed_owner_ends_the_server(own_postgres: Postgres) -> None:
    script = (
        "import sys, pathlib, os; from deploy.local.postgres import Postgres;"
        "s = Postgres(pathlib.Path(sys.argv[1]), durable=False, password=sys.argv[2]).start();"
        "print(s.child_pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, own_postgres.requested_dir, PASSWORD],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    assert done.returncode == -signal.SIGKILL
    own_postgres.start()  # at once, while the orphan may still be ending
    assert own_postgres.child_pid is not None
    until(lambda: not alive(int(done.stdout)))


def test_postgres_taken_port_error_quotes_the_server(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    own_postgres.start()
    other = Postgres(tmp_path / "other", port=own_postgres.port, durable=False, password="x")
    with pytest.raises(ServerError, match="Address already in use"):
        other.start()
    other.delete_data()


def test_postgres_interrupted_first_start_is_repeated(own_postgres: Postgres) -> None:
    half = ensure_data_dir(own_postgres.requested_dir) / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    own_postgres.start()
    assert not half.exists()
    assert own_postgres.child_pid is not None


async def test_postgres_with_database_url_starts_no_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:a%40b@db.example:6432/x?sslmode=require")
    server = Postgres(tmp_path / "never", password="unused").start()
    assert server.child_pid is None
    assert server.dsn("auth") == "postgresql://me:a%40b@db.example:6432/auth?sslmode=require"
    assert (
        server.dsn("auth", "auth", "s/c")
        == "postgresql://auth:s%2Fc@db.example:6432/auth?sslmode=require"
    )
    assert not (tmp_path / "never").exists()


@pytest.mark.skipif(server_user() is None, reason="only root has to change its user")
def test_data_dir_below_closed_directory_moves_under_root(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = ensure_data_dir(closed / "data")
    try:
        assert folder.parent == FALLBACK_PARENT
        assert is_reachable_by_all(folder.parent)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert ensure_data_dir(closed / "data") == folder, "remembered"
    finally:
        folder.rmdir()
    assert ensure_data_dir(closed / "data") != folder, (
        "never a name that somebody else may have taken"
    )
    Path((closed / "data.place").read_text().strip()).rmdir()
