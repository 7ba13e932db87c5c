"""A backup of a stack in use, restored into an empty one."""

import asyncio
import hashlib
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.stack.load import Load, load_on
from tests.stack.stack import CHECKOUT, SETTINGS, Stack


@pytest.fixture
def empty(stack: Stack) -> Iterator[Stack]:
    """Another project; the tokens of the first one name its address as their issuer."""
    other = Stack(
        f"cheershare-test-{secrets.token_hex(4)}",
        {**SETTINGS, "JWT_ISSUER": stack.public_url},
    )
    try:
        yield other
    finally:
        other.down()


async def test_restore_of_a_backup_loses_no_data(
    stack: Stack, empty: Stack, tmp_path: Path
) -> None:
    async with load_on(stack.address) as load:
        await load.under_way()
        await load.stop()
        sessions = load.sessions
    async with load_on(stack.address) as others:  # it is in use all the while
        await others.under_way()
        await asyncio.to_thread(stack.run, "deploy/backup", str(tmp_path / "backup"))
        await others.stop()
        assert others.failures == []
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "backup").iterdir()} == {0}
    await asyncio.to_thread(empty.run, "deploy/restore", str(tmp_path / "backup"))
    places = [*empty.addresses("auth_service"), *empty.addresses("media_service")]
    async with ClientSession(empty.address) as http:
        found = await Load(http, sessions=sessions).outcome(places)
    assert found.acknowledged >= 20
    assert (found.lost, found.wrongly_accepted) == ([], [])
    async with load_on(empty.address) as load:
        await load.under_way()
        await load.stop()
        assert load.failures == []


def test_restore_into_a_running_stack_is_refused(stack: Stack, tmp_path: Path) -> None:
    assert b"is not new" in refusal(stack, tmp_path)


def test_restore_over_existing_volumes_is_refused(tmp_path: Path) -> None:
    """Its volumes are there, though no container is."""
    ended = Stack(f"cheershare-test-{secrets.token_hex(4)}")
    volume = ended.engine.volumes.create(f"{ended.project}_keys_auth", labels=ended.labels)
    try:
        said = refusal(ended, tmp_path)
    finally:
        volume.remove()
    assert b"is not new" in said


@pytest.mark.parametrize("name", ["auth.dump", "media.dump", "files.tar", "keys.tar", "store.tar"])
def test_restore_damaged_backup_changes_nothing(tmp_path: Path, name: str) -> None:
    new = Stack(f"cheershare-test-{secrets.token_hex(4)}")
    damaged = tmp_path / name
    write_backup(tmp_path)
    whole = damaged.read_bytes()
    try:
        for content in (whole[:-1], b"y" + whole[1:]):
            damaged.write_bytes(content)
            assert f"{name}: FAILED".encode() in refusal(new, tmp_path)
        damaged.unlink()
        assert b"is damaged or incomplete" in refusal(new, tmp_path)
        assert new.left() == []
    finally:
        new.down()


def test_restore_backup_without_checksums_or_profile_changes_nothing(tmp_path: Path) -> None:
    new = Stack(f"cheershare-test-{secrets.token_hex(4)}")
    write_backup(tmp_path)
    try:
        assert b"set COMPOSE_PROFILES=s3 and STORAGE_URL" in refusal(new, tmp_path)
        (tmp_path / "SHA256SUMS").write_text("")
        assert b"is damaged or incomplete" in refusal(new, tmp_path)
        (tmp_path / "SHA256SUMS").unlink()
        assert b"SHA256SUMS: No such file" in refusal(new, tmp_path)
        assert new.left() == []
    finally:
        new.down()


def write_backup(folder: Path) -> None:
    """Write files with the names and the checksums of a backup."""
    sums = []
    for name in ("auth.dump", "files.tar", "keys.tar", "media.dump", "store.tar"):
        (folder / name).write_bytes(b"x" * 2000)
        sums.append(f"{hashlib.sha256(b'x' * 2000).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))


def refusal(stack: Stack, backup: Path) -> bytes:
    """What `deploy/restore` says when it refuses."""
    ended = subprocess.run(
        ["deploy/restore", str(backup)],
        cwd=CHECKOUT,
        env=stack.environment,
        capture_output=True,
        check=False,
    )
    assert ended.returncode != 0
    return ended.stderr
