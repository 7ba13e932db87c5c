"""Nobody in the stack can do more than their work needs."""

import json

import pytest

from tests.stack.stack import Stack

SERVICES = ("gateway", "auth_service", "media_service", "postgres", "redis")
BUDGET_MIB = 600
REDIS = """
import asyncio, sys
from pathlib import Path
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

async def main():
    async with Redis.from_url(Path("/run/secrets/redis_url").read_text()) as redis:
        try:
            await redis.execute_command(*sys.argv[1:])
        except NoPermissionError:
            return 13
    return 0

sys.exit(asyncio.run(main()))
"""
POSTGRES = """
import asyncio, asyncpg, sys
from pathlib import Path

async def main():
    dsn = Path("/run/secrets/database_url").read_text()
    try:
        connection = await asyncpg.connect(dsn, database=sys.argv[1])
    except asyncpg.InsufficientPrivilegeError:
        return 13
    await connection.close()
    return 0

sys.exit(asyncio.run(main()))
"""
DENIED = 13


def python(stack: Stack, service: str, program: str, *words: str) -> int:
    """Run a program inside a service's container, with that service's own secrets."""
    code, said = stack.execute(stack.one(service), "python", "-c", program, *words)
    assert code in {0, DENIED}, said
    return code


@pytest.mark.parametrize(
    ("service", "command", "code"),
    [
        ("media_service", ["PUBLISH", "revocations", "forged"], DENIED),
        ("media_service", ["PUBLISH", "revocations:applied", "{}"], 0),
        ("media_service", ["SUBSCRIBE", "revocations:applied"], DENIED),
        ("media_service", ["XADD", "revocations:log", "*", "message", "forged"], DENIED),
        ("media_service", ["XRANGE", "deliveries", "-", "+"], DENIED),
        ("media_service", ["GET", "anything"], DENIED),
        ("media_service", ["FLUSHALL"], DENIED),
        ("media_service", ["XRANGE", "revocations:log", "-", "+", "COUNT", "1"], 0),
        ("auth_service", ["FLUSHALL"], DENIED),
        ("auth_service", ["CONFIG", "GET", "*"], DENIED),
        ("auth_service", ["ACL", "LIST"], DENIED),
        ("auth_service", ["PING"], 0),
    ],
)
def test_redis_users_may_run_their_commands_alone(
    stack: Stack, service: str, command: list[str], code: int
) -> None:
    assert python(stack, service, REDIS, *command) == code


def test_redis_without_login_is_refused(stack: Stack) -> None:
    _, said = stack.execute(stack.one("redis"), "redis-cli", "ping")
    assert b"NOAUTH" in said
    _, said = stack.execute(
        stack.one("redis"),
        "redis-cli",
        "--no-auth-warning",
        "--user",
        "probe",
        "--pass",
        "x",
        "get",
        "a",
    )
    assert b"NOPERM" in said


@pytest.mark.parametrize(
    ("service", "database", "code"),
    [
        ("media_service", "media", 0),
        ("media_service", "auth", DENIED),
        ("media_service", "postgres", DENIED),
        ("media_service", "template1", DENIED),
        ("auth_service", "auth", 0),
        ("auth_service", "media", DENIED),
    ],
)
def test_postgresql_roles_open_their_own_database_alone(
    stack: Stack, service: str, database: str, code: int
) -> None:
    assert python(stack, service, POSTGRES, database) == code


@pytest.mark.parametrize("service", SERVICES)
def test_containers_run_unprivileged_and_read_only(stack: Stack, service: str) -> None:
    container = stack.one(service)
    status = stack.execute(container, "cat", "/proc/1/status")[1].decode()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in facts["Uid"].split()
    assert {facts[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert facts["NoNewPrivs"] == "1"
    code, said = stack.execute(container, "touch", "/etc/forged")
    assert (code, b"Read-only" in said or b"Permission" in said) == (1, True)
    assert container.attrs["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.parametrize("name", ["gateway", "auth_service", "media_service"])
def test_images_are_labelled_and_unprivileged(stack: Stack, name: str) -> None:
    told = stack.engine.images.get(stack.image(name)).attrs["Config"]
    assert told["User"] == "10001:10001"
    assert told["Healthcheck"]["Test"][0] == "CMD"
    labels = {label.rpartition(".")[2] for label in told["Labels"]}
    assert {"title", "description", "licenses"} <= labels


def test_signing_key_is_mounted_in_auth_service_alone(stack: Stack) -> None:
    for service in SERVICES:
        mounts = {mount["Name"] for mount in stack.one(service).attrs["Mounts"] if "Name" in mount}
        holds = f"{stack.project}_keys_signing" in mounts
        assert holds is (service == "auth_service")
    code, said = stack.execute(stack.one("auth_service"), "touch", "/run/signing/forged")
    assert (code, b"Read-only" in said) == (1, True)


def test_postgresql_and_redis_have_no_outbound_network(stack: Stack) -> None:
    for service in ("postgres", "redis"):
        networks = stack.one(service).attrs["NetworkSettings"]["Networks"]
        assert list(networks) == [stack.network("data")]
        assert stack.engine.networks.get(stack.network("data")).attrs["Internal"]


def test_gateway_has_no_outbound_network(stack: Stack) -> None:
    networks = stack.one("gateway").attrs["NetworkSettings"]["Networks"]
    found = {name: stack.engine.networks.get(name).attrs for name in networks}
    assert set(found) == {stack.network("edge"), stack.network("entry")}
    assert found[stack.network("edge")]["Internal"]
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert found[stack.network("entry")]["Options"] == {masquerade: "false"}


def test_memory_of_one_container_each_stays_within_budget(stack: Stack, figures: list[str]) -> None:
    used = {}
    for service in SERVICES:
        measured = stack.one(service).stats(stream=False)
        assert isinstance(measured, dict)
        stats = measured["memory_stats"]
        inactive = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
        used[service] = round((stats["usage"] - inactive) / 2**20)
    figures.append(f"memory, MiB: {json.dumps(used)}, together {sum(used.values())}")
    assert sum(used.values()) < BUDGET_MIB
