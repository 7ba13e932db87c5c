"""A stack of containers under a project name of its own, and what can be done to it."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from auth_service.settings import AuthSettings
from media_service.settings import MediaSettings
from tests.support.ports import own_port

CHECKOUT = Path(__file__).parents[2]
PORTS = {"auth_service": 8000, "media_service": 8001}
PATIENCE_SECONDS = 120
UNLIMITED = {
    name.upper(): "" for name in (*AuthSettings.limit_names(), *MediaSettings.limit_names())
}
SETTINGS = {
    "ENV": "development",
    "GATEWAY_RATE": "100000",
    "OTP_COOLDOWN": "0",
    "DRAIN_SECONDS": "1",
    "IMAGE_WORKERS": "1",
    **UNLIMITED,
}
COMPLAINTS = 200
USUAL = re.compile(r'{(?!.*"level": "(warning|error|critical)")')
COMMAND_SECONDS = 1200  # with empty caches images are built
KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CI")
KILL = "import os, sys; os.kill(int(sys.argv[1]), 9)"


@dataclass
class Stack:
    """One run of docker-compose.yml.

    `settings` are all that differs from what a stranger starts; nothing of this terminal's own
    environment and of a file `.env` counts.
    """

    project: str
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    port: int = field(default_factory=own_port)
    engine: docker.DockerClient = field(default_factory=docker.from_env)

    @property
    def public_url(self) -> str:
        """PUBLIC_URL, unless the settings name another."""
        return f"http://localhost:{self.port}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        named = {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_ENV_FILES": os.devnull,
            "COMPOSE_PROGRESS": "plain",
            "GATEWAY_PORT": str(self.port),
        }
        return kept | self.settings | named

    @property
    def labels(self) -> dict[str, str]:
        """What makes `down` remove a thing."""
        return {"com.docker.compose.project": self.project}

    def compose(self, *words: str, given: bytes | None = None) -> bytes:
        """Run `docker compose` and return what it wrote; its complaint is the failure."""
        return self.run("docker", "compose", *words, given=given)

    def run(self, *command: str, given: bytes | None = None) -> bytes:
        ended = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=self.environment,
            input=given if given is not None else b"",
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        assert ended.returncode == 0, f"{command}: {ended.stderr.decode()[-2000:]}"
        return ended.stdout

    def up(self, replicas: int = 1) -> float:
        """Start everything, wait until it is healthy, and return how long that took.

        Images that are not there are built.
        """
        began = time.monotonic()
        scales = [word for name in PORTS for word in ("--scale", f"{name}={replicas}")]
        self.compose("up", "--detach", "--wait", *scales)
        return time.monotonic() - began

    def down(self) -> None:
        """Remove whatever bears the project's name, and see that it is gone."""
        for container in self._containers(all=True):
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)
        for kind in (self.engine.networks, self.engine.volumes):
            for one in self._found(kind):
                one.remove()
        for image in self.engine.images.list(f"{self.project}/*"):
            for tag in image.tags:  # the image itself may be another stack's too
                if tag.startswith(f"{self.project}/"):
                    self.engine.images.remove(tag)
        assert self.left() == [], "the project's name is still in use"

    def left(self) -> list[Any]:
        """Whatever bears the project's name now, but for images."""
        return [
            *self._containers(all=True),
            *self._found(self.engine.networks),
            *self._found(self.engine.volumes),
        ]

    def _containers(self, **options: Any) -> list[Container]:
        """Those that bear the project's name; one that goes meanwhile is passed over."""
        return self._found(self.engine.containers, ignore_removed=True, **options)

    def _found(self, kind: Any, **options: Any) -> list[Any]:
        label = f"com.docker.compose.project={self.project}"
        return list(kind.list(filters={"label": label}, **options))

    def replicas(self, service: str) -> list[Container]:
        """The containers of a service that run, in order of their numbers."""
        labels = [
            f"com.docker.compose.project={self.project}",
            f"com.docker.compose.service={service}",
            "com.docker.compose.oneoff=False",
        ]
        found = self.engine.containers.list(filters={"label": labels}, ignore_removed=True)
        return sorted(found, key=lambda one: int(one.labels["com.docker.compose.container-number"]))

    def containers(self) -> dict[str, str]:
        """Every container by its name, those that have ended too."""
        found = self._containers(all=True)
        return {str(one.name): str(one.id) for one in found}

    def one(self, service: str) -> Container:
        return self.replicas(service)[0]

    def addresses(self, service: str) -> list[str]:
        """Where each replica listens, as this machine reaches it past the gateway."""
        found = []
        for one in self.replicas(service):
            networks = one.attrs["NetworkSettings"]["Networks"]
            found.append(f"http://{networks[self.network('edge')]['IPAddress']}:{PORTS[service]}")
        return found

    def image(self, name: str) -> str:
        """What was built for this stack alone: another one may be built meanwhile."""
        return f"{self.project}/{name}"

    def network(self, name: str) -> str:
        return f"{self.project}_{name}"

    def complaints(self, since: float) -> str:
        """What the containers have said from that moment on, but for the services' usual lines."""
        lines: list[str] = []
        for one in self._containers(all=True):
            with contextlib.suppress(DockerException):  # it may go meanwhile
                said = one.logs(since=since).decode(errors="replace").splitlines()
                lines += [f"{one.name}: {line}" for line in said if not USUAL.match(line)]
        return "\n".join(lines[-COMPLAINTS:])

    @staticmethod
    def execute(container: Container, *command: str) -> tuple[int, bytes]:
        """Run a command inside; return its exit code and what it said."""
        code, said = container.exec_run(list(command))
        assert isinstance(said, bytes)
        assert code is not None
        return code, said

    def crash(self, container: Container) -> float:
        """End its first process as a crash would, from outside; return when it runs again.

        `docker kill` would count as a wish that it stay stopped.
        """
        container.reload()
        before = container.attrs["State"]["StartedAt"]
        self.engine.containers.run(
            self.image("auth_service"),
            ["-c", KILL, str(container.attrs["State"]["Pid"])],
            entrypoint="python",
            user="0",
            pid_mode="host",
            network_mode="none",
            labels=self.labels,
            remove=True,
        )
        self.until(lambda: self._runs_again(container, before), "it is not started again")
        return time.monotonic()

    def _runs_again(self, container: Container, before: str) -> bool:
        container.reload()
        state = container.attrs["State"]
        return bool(state["Running"] and state["StartedAt"] != before)

    def until_healthy(self) -> None:
        """Wait until every container with a health check says that it is well."""

        def healthy() -> bool:
            states = [one.attrs["State"] for one in self._containers()]
            return all(
                state.get("Health", {"Status": "healthy"})["Status"] == "healthy"
                for state in states
            )

        self.until(healthy, "a container is not healthy")

    @staticmethod
    def until(holds: Callable[[], bool], complaint: str, seconds: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, complaint
            time.sleep(0.05)


def engine_missing() -> str:
    """Return why no stack can run here, if so."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    said = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return "" if said.returncode == 0 else "no Docker daemon answers"
