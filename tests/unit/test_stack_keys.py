"""What the one-shot `keys` makes: once, each part for its holder, rotated step by step."""

from configparser import ConfigParser
from pathlib import Path

import pytest

from deploy.keys import DROP_WAIT, DROP_WAIT_TEXTS, SECRET_HOLDERS, main, password_in
from deploy.redis_acl import acl_hash
from tests.support.clock import MovableClock

VOLUMES = ("auth", "media", "postgres", "redis", "store", "jwks")


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The volumes, made."""
    for name in VOLUMES:
        (tmp_path / name).mkdir()
    monkeypatch.setenv("JWT_PRIVATE_KEYS_DIR", str(tmp_path / "signing"))
    monkeypatch.setenv("JWKS_FILE", str(tmp_path / "jwks" / "jwks.json"))
    assert main([], tmp_path) == 0
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_keys_created_again_stay_unchanged(keys: Path) -> None:
    before = texts(keys)
    assert main([], keys) == 0
    assert texts(keys) == before


def test_key_volumes_hold_what_each_service_needs_alone(keys: Path) -> None:
    found = {name: sorted(path.name for path in (keys / name).iterdir()) for name in VOLUMES}
    assert found == {
        "auth": ["database_url", "redis_url", "revocation_key", "secret_keys"],
        "media": [
            "aws_credentials",
            "database_url",
            "media_secret_keys",
            "redis_url",
            "revocation_key",
        ],
        "postgres": ["password"],
        "redis": ["users.acl"],
        "store": ["auth_key"],
        "jwks": ["jwks.json"],
    }
    for name in ("auth", "media", "store"):
        assert {p.stat().st_mode & 0o077 for p in (keys / name).glob("*") if p.is_file()} == {0}
    shared = [(keys / name / "revocation_key").read_text() for name in ("auth", "media")]
    assert shared[0] == shared[1]


def test_redis_acl_holds_hashes_of_passwords_alone(keys: Path) -> None:
    lines = (keys / "redis" / "users.acl").read_text().splitlines()
    assert lines[0] == "user default off ~* &* +@all"
    for name in ("auth", "media"):
        secret = password_in(keys / name / "redis_url")
        [line] = [line for line in lines if line.startswith(f"user {name} ")]
        assert acl_hash(secret) in line
        assert secret not in "".join(lines)


def test_passwords_replaced_leave_secrets_and_keys(keys: Path) -> None:
    before = texts(keys)
    assert main(["passwords"], keys) == 0
    after = texts(keys)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        "auth/database_url",
        "auth/redis_url",
        "media/database_url",
        "media/redis_url",
        "redis/users.acl",
        "store/auth_key",
        "media/aws_credentials",
    }


def test_redis_old_passwords_are_accepted_until_the_next_run(keys: Path) -> None:
    def known() -> list[int]:
        lines = (keys / "redis" / "users.acl").read_text().splitlines()
        return [sum(acl_hash(one) in line for one in secrets) for line in lines[1:3]]

    secrets = [password_in(keys / name / "redis_url") for name in ("auth", "media")]
    assert main(["passwords"], keys) == 0
    secrets += [password_in(keys / name / "redis_url") for name in ("auth", "media")]
    assert known() == [2, 2]
    assert main(["passwords"], keys) == 0  # again, before anybody has taken them up
    assert known() == [2, 2]
    secrets = [password_in(keys / name / "redis_url") for name in ("auth", "media")]
    assert known() == [1, 1]
    assert main([], keys) == 0
    lines = (keys / "redis" / "users.acl").read_text().splitlines()
    assert [line.count("#") for line in lines[1:3]] == [1, 1]
    assert known() == [1, 1]


def test_passwords_replaced_before_creation_are_created(keys: Path) -> None:
    (keys / "redis" / "users.acl").unlink()
    assert main(["passwords"], keys) == 0
    assert "user auth on #" in (keys / "redis" / "users.acl").read_text()


def test_store_and_media_service_hold_one_key(keys: Path) -> None:
    told = ConfigParser()
    told.read(keys / "media" / "aws_credentials")
    name, secret = (keys / "store" / "auth_key").read_text().split(",")
    assert dict(told["default"]) == {"aws_access_key_id": name, "aws_secret_access_key": secret}
    assert len(secret) == 64


@pytest.mark.parametrize("secret", SECRET_HOLDERS)
def test_secret_is_rotated_in_three_steps(
    keys: Path, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed() -> list[str]:
        [text] = {(keys / holder / secret).read_text() for holder in SECRET_HOLDERS[secret]}
        return text.split(",")

    clock = MovableClock()
    [old] = listed()
    assert main(["add", secret], keys, clock) == 0
    assert listed()[0] == old
    fresh = listed()[1]
    assert main(["use", secret], keys, clock) == 0
    assert listed() == [fresh, old]
    waiting = f"wait before you drop the old one: {DROP_WAIT_TEXTS[secret]}"
    assert waiting in capsys.readouterr().out
    clock.advance(days=30)
    assert main(["drop", secret], keys, clock) == 0
    assert listed() == [fresh]


@pytest.mark.parametrize("secret", SECRET_HOLDERS)
def test_drop_too_early_is_refused_with_the_date(
    keys: Path, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = MovableClock()
    wait = DROP_WAIT[secret]
    moments = [clock.now() + wait]
    for step in ("add", "use"):
        assert main([step, secret], keys, clock) == 0
    moments.append(clock.now() + wait)
    before = texts(keys)
    clock.advance(seconds=wait.total_seconds(), minutes=-1)
    assert main(["drop", secret], keys, clock) == 1
    error = capsys.readouterr().err
    assert [one for one in moments if f"{secret} is safe to drop from {one:%FT%H:%M}" in error]
    assert "--force" in error
    assert texts(keys) == before
    assert main(["drop", secret, "--force"], keys, clock) == 0


@pytest.mark.parametrize("secret", SECRET_HOLDERS)
def test_undo_restores_the_dropped_secret(
    keys: Path, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed() -> set[str]:
        return {(keys / holder / secret).read_text() for holder in SECRET_HOLDERS[secret]}

    clock = MovableClock()
    for step in ("add", "use"):
        assert main([step, secret], keys, clock) == 0
    before = listed()
    assert main(["drop", secret, "--force"], keys, clock) == 0
    assert f"undo {secret}" in capsys.readouterr().out
    assert listed() != before
    assert main(["undo", secret], keys, clock) == 0
    assert listed() == before
    assert main(["undo", secret], keys, clock) == 1
    assert "no secret was dropped" in capsys.readouterr().err
    assert main(["drop", secret], keys, clock) == 1  # its time has not come for that


def test_drop_of_an_unused_secret_needs_no_wait(keys: Path) -> None:
    before = (keys / "auth" / "secret_keys").read_text()
    assert main(["add", "secret_keys"], keys) == 0
    assert main(["drop", "secret_keys"], keys) == 0
    assert (keys / "auth" / "secret_keys").read_text() == before


def test_drop_without_a_recorded_use_waits_from_the_last_change(keys: Path) -> None:
    """A stack whose rotation began under an older version has no note of it."""
    clock = MovableClock()
    for step in ("add", "use"):
        assert main([step, "secret_keys"], keys, clock) == 0
    (keys / "auth" / "secret_keys.rotation").unlink()
    assert main(["drop", "secret_keys"], keys, clock) == 1
    clock.advance(days=30, minutes=1)
    assert main(["drop", "secret_keys"], keys, clock) == 0


def test_copy_of_a_dropped_secret_is_deleted_by_the_next_add(keys: Path) -> None:
    for step in (["add"], ["use"], ["drop"]):
        assert main([*step, "secret_keys", "--force"], keys) == 0
    copy = keys / "auth" / "secret_keys.dropped"
    assert copy.stat().st_mode & 0o777 == 0o400
    assert main(["add", "secret_keys"], keys) == 0
    assert not copy.exists()


@pytest.mark.parametrize("step", ["use", "drop"])
def test_only_secret_is_neither_dropped_nor_replaced(
    keys: Path, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(keys)
    assert main([step, "secret_keys"], keys) == 1
    assert "secret_keys holds 1; add one first" in capsys.readouterr().err
    assert texts(keys) == before
