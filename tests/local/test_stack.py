"""`make run` as a whole: it starts, prints `ready`, keeps its data and leaves no process."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from deploy.local.data_dir import DataDir
from deploy.local.environment import EmbeddedServers, service_environment
from tests.local.processes import CHECKOUT, alive, descendants, until, without_coverage
from tests.support.ports import own_port

READY_SECONDS = 60
PHONE = "+919876512345"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Stack:
    """A running launcher and its log."""

    def __init__(self, data: Path, port: int, *arguments: str, under_shell: bool) -> None:
        self.data = data
        self.port = port
        self.log = data.with_name(f"{time.monotonic_ns()}.log")
        command = [sys.executable, "-m", "deploy.local", "--port", str(self.port)]
        command += ["--data", str(data), *arguments]
        if under_shell:  # which has one more thing to do, and so does not become the launcher
            command = ["sh", "-c", '"$@"; true', "sh", *command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=CHECKOUT, env=without_coverage(), stdout=log, stderr=log
            )

    def ready(self) -> "Stack":
        line = f"ready http://localhost:{self.port}\n"
        until(lambda: line in self.said or self.process.poll() is not None, READY_SECONDS)
        assert line in self.said, self.said
        assert len(descendants(self.process.pid)) >= 4, "two servers, two services"
        return self

    @property
    def said(self) -> str:
        return self.log.read_text()

    def call(self, path: str, body: object = None, token: str = "") -> dict[str, object]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urlopen(request, timeout=10) as answer:  # noqa: S310 -- loopback
            found: dict[str, object] = json.load(answer)
            return found

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code, once all that was below is gone."""
        below = descendants(self.process.pid)
        self.process.send_signal(number)
        code = self.process.wait(20)
        until(lambda: not any(alive(pid) for pid in below))
        return code


@pytest.fixture
def start(sockets: Path) -> Iterator[Callable[..., Stack]]:
    """Starts a stack, each time on the same port and data."""
    started: list[Stack] = []
    port = own_port()

    def begin(*arguments: str, under_shell: bool = False) -> Stack:
        started.append(Stack(sockets / "var", port, *arguments, under_shell=under_shell))
        return started[-1]

    yield begin
    for stack in started:
        if stack.process.poll() is None:
            stack.end(signal.SIGKILL)
    EmbeddedServers(DataDir(sockets / "var")).delete_data()


async def test_stack_full_run_keeps_data_and_reports_a_killed_service(
    start: Callable[..., Stack],
) -> None:
    stack = start().ready()
    walk_the_demo(stack)
    token = sign_up(stack)
    check_modes(stack.data)
    await check_privileges(stack.data)
    check_port_is_taken(stack)
    assert stack.end(signal.SIGINT) == 0

    again = start().ready()
    assert again.call("/v1/auth/me", token=token)["phone_number"] == PHONE
    check_commands(again)
    check_no_such_database(again)

    service = next(
        pid for pid in descendants(again.process.pid) if b"auth_service" in command_line(pid)
    )
    below = descendants(again.process.pid)
    os.kill(service, signal.SIGKILL)
    assert again.process.wait(20) == 1
    assert "auth_service was killed by SIGKILL" in again.said
    until(lambda: not any(alive(pid) for pid in below))


def test_stack_stopped_or_killed_leaves_no_process(start: Callable[..., Stack]) -> None:
    assert start().ready().end(signal.SIGTERM) == 0
    assert start().ready().end(signal.SIGKILL) == -signal.SIGKILL
    orphaned = start("--end-with-parent", under_shell=True).ready()
    assert orphaned.end(signal.SIGKILL) == -signal.SIGKILL, "of the shell above the launcher"


def test_stack_dead_server_stops_everything(start: Callable[..., Stack]) -> None:
    stack = start().ready()
    below = descendants(stack.process.pid)
    servers = [pid for pid in below if b"valkey-server" in command_line(pid)]
    os.kill(servers[0], signal.SIGKILL)
    assert stack.process.wait(20) == 1
    assert "Valkey has ended" in stack.said
    until(lambda: not any(alive(pid) for pid in below))


def walk_the_demo(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local.demo"],
        cwd=CHECKOUT,
        env={**without_coverage(), "PORT": str(stack.port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ms  ") == 12


def sign_up(stack: Stack) -> str:
    stack.call("/v1/auth/signup", {"name": "Asha", "phone_number": PHONE})
    inbox = f"/v1/auth/dev/inbox?to=%2B{PHONE[1:]}"
    until(lambda: bool(stack.call(inbox)["items"]))
    items = stack.call(inbox)["items"]
    assert isinstance(items, list)
    code = next(word for word in items[0]["text"].replace(".", " ").split() if word.isdigit())
    tokens = stack.call("/v1/auth/signup", {"phone_number": PHONE, "otp": code})
    return str(tokens["access_token"])


def check_commands(stack: Stack) -> None:
    """Every command reaches the stack's databases, and Redis as one who may write there."""
    for words, said in (
        (
            ["auth_service", "admin", "grant", PHONE, "admin"],
            " admin; signed out everywhere, it counts from the next sign-in\n",
        ),
        (["auth_service", "deliveries", "dead"], ""),
        (["media_service", "sweep"], "files missing: 0"),
    ):
        exec_module = ["-m", "deploy.local.exec", "--data", str(stack.data)]
        done = subprocess.run(
            [sys.executable, *exec_module, "python", "-m", *words],
            cwd=CHECKOUT,
            env=without_coverage(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


def check_no_such_database(stack: Stack) -> None:
    exec_module = ["-m", "deploy.local.exec", "--data", str(stack.data)]
    done = subprocess.run(
        [sys.executable, *exec_module, "psql", "foo"],
        cwd=CHECKOUT,
        env=without_coverage(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "exec: database is auth or media\n")


def check_modes(data: Path) -> None:
    for name in ("secrets", "keys", "run", "storage"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o700, name
    kept = [*(data / "secrets").iterdir(), *(data / "keys").iterdir()]
    assert len(kept) >= 8
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for name in ("auth", "media"):
        assert stat.S_IMODE((data / "run" / f"{name}.sock").stat().st_mode) == 0o600, name


async def check_privileges(data: Path) -> None:
    """Each service reaches its own things and nothing of the other's."""
    with EmbeddedServers(DataDir(data)) as servers:  # the running ones: it only joins them
        assert servers.owned_by_other_process
        for name, other in (("auth", "media"), ("media", "auth")):
            password = servers.data_dir.secret(f"postgres_{name}")
            await (await asyncpg.connect(servers.postgres.dsn(name, name, password))).close()
            for closed in (other, "postgres", "template1"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await asyncpg.connect(servers.postgres.dsn(closed, name, password))
        media = service_environment("media", servers, "")["REDIS_URL"]
        with Redis.from_url(media) as client:
            assert client.xrange("revocations:log") is not None
            for refused in (
                ("PUBLISH", "revocations", "x"),
                ("XADD", "revocations:log", "*", "a", "b"),
                ("GET", "anything"),
                ("SUBSCRIBE", "other"),
                ("CONFIG", "GET", "*"),
            ):
                with pytest.raises(NoPermissionError):
                    client.execute_command(*refused)


def check_port_is_taken(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "--port", str(stack.port), "--data", stack.data],
        cwd=CHECKOUT,
        env=without_coverage(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"cheershare: port {stack.port} is taken")
    assert done.stderr.endswith(f"PORT={stack.port + 1} DATA=var2\n")
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "--port", str(own_port()), "--data", stack.data],
        cwd=CHECKOUT,
        env=without_coverage(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "is in use by another stack; end it, or try DATA=var2" in done.stderr
    assert stack.call("/readyz")["status"] == "ready", "and the first one never noticed"


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.parametrize("flag", ["--clean-data", "--forget"])
def test_clean_data_existing_and_missing_directory_is_reported(sockets: Path, flag: str) -> None:
    data = sockets / "var"
    data.mkdir()
    for said in (f"deleted {data}\n", f"cheershare: there is no {data}\n"):
        done = subprocess.run(
            [sys.executable, "-m", "deploy.local", "--data", str(data), flag],
            cwd=CHECKOUT,
            env=without_coverage(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, said)
        assert not data.exists()
