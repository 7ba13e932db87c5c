"""Signing keys: made by command, rotated without anybody noticing."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from auth_service.cli import main
from auth_service.signing.keystore import KeyStore, select_signing_key
from auth_service.signing.service import Signer
from shared.clock import SystemClock, rfc3339
from shared.entropy import SystemEntropy
from shared.tokens import TokenVerifier
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

NUMBER = "+919876543210"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JWT_PRIVATE_KEYS_DIR", str(tmp_path / "private"))
    monkeypatch.setenv("JWKS_FILE", str(tmp_path / "jwks.json"))
    return tmp_path


def test_keys_generate_twice_keeps_one_private_key(folder: Path) -> None:
    assert main(["keys", "generate"]) == 0
    assert main(["keys", "generate"]) == 0
    [path] = (folder / "private").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (folder / "private").stat().st_mode & 0o777 == 0o700
    document = json.loads((folder / "jwks.json").read_text())
    assert [key["kid"] for key in document["keys"]] == [path.stem]
    assert "d" not in document["keys"][0]


def test_keys_rotate_publishes_next_key_before_it_signs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["keys", "generate"])
    main(["keys", "rotate", "--algorithm", "ES256"])
    store, now = KeyStore(folder / "private"), SystemClock().now()
    first, second = store.load()
    assert select_signing_key([first, second], now) == first
    assert select_signing_key([first, second], now + timedelta(minutes=10)) == second
    assert len(json.loads((folder / "jwks.json").read_text())["keys"]) == 2
    capsys.readouterr()
    main(["keys", "list"])
    assert [line.split()[1:3] for line in capsys.readouterr().out.splitlines()] == [
        ["EdDSA", "signs,"],
        ["ES256", "published,"],
    ]


def test_keystore_replaced_key_is_dropped_after_its_last_token(folder: Path) -> None:
    store, now = KeyStore(folder / "private"), SystemClock().now()
    old = store.create("EdDSA", signs_from=now - timedelta(days=2))
    new = store.create("EdDSA", signs_from=now - timedelta(minutes=5))
    assert store.drop_retired(now, timedelta(minutes=12)) == []
    dropped = store.drop_retired(now + timedelta(minutes=8), timedelta(minutes=12))
    assert [key.kid for key in dropped] == [old.kid]
    assert [key.kid for key in store.load()] == [new.kid]


@pytest.mark.parametrize(("minutes", "kept"), [(50, True), (61, True), (63, False)])
def test_keys_rotate_without_ttl_keeps_keys_of_valid_tokens(
    folder: Path, minutes: float, *, kept: bool
) -> None:
    """Compose tells its one-shot `keys` no `ACCESS_TOKEN_TTL`, which may be an hour."""
    store, now = KeyStore(folder / "private"), SystemClock().now()
    old = store.create("EdDSA", signs_from=now - timedelta(days=2))
    store.create("EdDSA", signs_from=now - timedelta(minutes=minutes))
    assert main(["keys", "rotate"]) == 0
    assert (old.kid in {key.kid for key in store.load()}) is kept


async def test_signer_new_key_in_directory_is_published_and_signs(
    serving_auth: Callable[..., Any], tmp_path: Path, clock: MovableClock
) -> None:
    store = KeyStore(tmp_path)
    store.create("EdDSA", signs_from=clock.now() - timedelta(days=1))
    async with serving_auth(jwt_private_keys_dir=tmp_path) as auth:
        before = await auth.sign_in(NUMBER)
        store.create("ES256", signs_from=clock.now() - timedelta(seconds=1))

        async def two_keys() -> bool:
            return len((await auth.call("GET", "/.well-known/jwks.json")).body["keys"]) == 2

        await until(two_keys)
        after = await auth.sign_in(NUMBER)
        for pair in (before, after):
            assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 200


async def test_keys_generate_after_removal_replaces_stolen_key_at_once(
    serving_auth: Callable[..., Any], folder: Path
) -> None:
    main(["keys", "generate"])
    async with serving_auth(jwt_private_keys_dir=folder / "private") as auth:
        before = await auth.sign_in(NUMBER)
        for path in (folder / "private").glob("*.jwk"):
            path.unlink()
        assert main(["keys", "generate"]) == 0

        async def refused() -> bool:
            answer = await auth.call("GET", "/me", token=before["access_token"])
            return bool(answer.status == 401)

        await until(refused)
        await until(auth.ready)  # it may have looked between the two commands
        body = {"refresh_token": before["refresh_token"]}
        after = await auth.call("POST", "/refresh", json=body)
        assert after.status == 200
        assert (await auth.call("GET", "/me", token=after.body["access_token"])).status == 200


@pytest.mark.parametrize("stored", [True, False])
async def test_signer_without_active_key_logs_first_activation_once(
    tmp_path: Path, clock: MovableClock, *, stored: bool
) -> None:
    first = None
    store = KeyStore(tmp_path)
    if stored:
        first = store.create("EdDSA", signs_from=clock.now() + timedelta(minutes=10)).signs_from
    verifier = TokenVerifier("i", "a", clock)
    signer = Signer(store, verifier, clock, SystemEntropy(), 600)
    with structlog.testing.capture_logs() as logs:
        await signer.refresh()
        await signer.refresh()
    [event] = logs
    assert (event["event"], event["log_level"]) == ("signing_key.not_yet_active", "warning")
    assert event["first_signs_from"] == (first and rfc3339(first))


async def test_signer_unreadable_key_is_logged_with_its_path(
    tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    store = KeyStore(tmp_path)
    kid = store.create("EdDSA", signs_from=clock.now()).kid
    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    signer = Signer(store, TokenVerifier("i", "a", clock), clock, SystemEntropy(), 600)
    with structlog.testing.capture_logs() as logs:
        await signer.refresh()
    [event] = logs
    assert event["event"] == "signing_keys.unreadable"
    assert f"{tmp_path / kid}.jwk" in event["error"]
    assert f"{tmp_path / kid}.jwk" in signer.explain_missing_key()


async def test_auth_service_without_key_is_503_and_code_stays_valid(
    serving_auth: Callable[..., Any], tmp_path: Path, auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth(ready=False, jwt_private_keys_dir=tmp_path) as auth:
        async with auth.http.get("/readyz") as ready:
            said = await ready.json()
            assert said["checks"]["signing_key"] is False
            assert said["reasons"]["signing_key"].startswith(f"no key is in {tmp_path}: ")
        await auth.request_code(NUMBER)
        code = await auth.code(NUMBER)
        answer = await auth.enter_code(NUMBER, code)
        assert (answer.status, answer.code) == (503, "service_unavailable")
        assert await auth_db.fetchval("select count(*) from users") == 0
        KeyStore(tmp_path).create("EdDSA", signs_from=clock.now() - timedelta(seconds=1))

        async def has_key() -> bool:
            async with auth.http.get("/readyz") as ready:
                return bool((await ready.json())["checks"]["signing_key"])

        await until(has_key)
        assert (await auth.enter_code(NUMBER, code)).status == 201
