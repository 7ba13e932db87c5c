"""The embedded Valkey: users, an append-only file, no eviction."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.retry import Retry

from deploy.local.valkey import Valkey
from deploy.redis_acl import acl_hash
from tests.local.processes import until

ONCE = Retry(NoBackoff(), retries=0)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey")
    yield server
    server.delete_data()


def test_valkey_without_password_is_refused(own_valkey: Valkey) -> None:
    own_valkey.start()
    with Redis(port=own_valkey.port, retry=ONCE) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with Redis.from_url(own_valkey.url()) as client:
        assert client.ping() is True
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_valkey_closes_the_connection_of_a_value_larger_than_any_of_ours(
    own_valkey: Valkey,
) -> None:
    own_valkey.start()
    with Redis.from_url(own_valkey.url(), retry=ONCE) as client:
        assert client.publish("revocations:applied", b"x" * 1024**2) == 0
        with pytest.raises(RedisError):
            client.publish("revocations:applied", b"x" * (1024**2 + 1))


def test_valkey_acl_admits_only_its_users(tmp_path: Path) -> None:
    server = Valkey(
        tmp_path / "valkey",
        durable=False,
        acl=[f"reader on {acl_hash('secret')} %R~a -@all +hello +ping +client|setinfo +get"],
    )
    server.start()
    try:
        with Redis.from_url(server.url("reader", "secret")) as reader:
            assert reader.get("a") is None
            with pytest.raises(NoPermissionError):
                reader.set("a", "1")
            with pytest.raises(NoPermissionError):
                reader.get("b")
        for user, password in (("default", "x"), ("reader", "guess")):
            stranger = Redis.from_url(server.url(user, password), retry=ONCE)
            with stranger, pytest.raises(AuthenticationError):
                stranger.ping()
        nobody = Redis(port=server.port, retry=ONCE, protocol=2)
        with nobody, pytest.raises(AuthenticationError):
            nobody.get("a")
        command = Path(f"/proc/{server.child_pid}/cmdline").read_bytes()
        assert b"secret" not in command
        assert acl_hash("secret").encode() not in command
    finally:
        server.delete_data()


def test_valkey_killed_keeps_data(own_valkey: Valkey) -> None:
    own_valkey.start()
    with Redis.from_url(own_valkey.url()) as client:
        client.xadd("log", {"n": 1})
    assert own_valkey.child_pid is not None
    os.kill(own_valkey.child_pid, signal.SIGKILL)
    until(lambda: own_valkey.child_pid is None)
    own_valkey.start()
    with Redis.from_url(own_valkey.url()) as client:
        assert client.xlen("log") == 1


def test_valkey_not_durable_loses_data_at_restart(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", durable=False).start()
    with Redis.from_url(server.url()) as client:
        client.set("a", "1")
    server.stop()
    server.start()
    with Redis.from_url(server.url()) as client:
        assert client.get("a") is None
    server.delete_data()
    assert not server.data_dir.exists()


def test_valkey_with_redis_url_starts_no_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://me:pw@cache.example:6380/3")
    server = Valkey(tmp_path / "never").start()
    assert server.url("auth", "secret") == "redis://me:pw@cache.example:6380/3"
    assert not (tmp_path / "never").exists()
