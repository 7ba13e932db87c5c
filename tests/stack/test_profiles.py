"""The profiles: with `s3` the files are in a bucket of rclone's, with `mail` codes go by SMTP."""

import asyncio
import hashlib
import os
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.stack.load import TIMEOUT
from tests.stack.stack import CHECKOUT, PORTS, SETTINGS, Stack
from tests.stack.test_files import Kept
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.media_client import FORM, picture_form
from tests.support.pictures import grain
from tests.support.ports import own_port

BUCKET = "s3://media?endpoint=http://store:9000&region=us-east-1"
PROMISES = "tests/media/test_stores.py"
SENDER = "hello@example.com"
PART_BYTES = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own that keeps its files in the bucket, and mails into a mailbox."""
    told = SETTINGS | {
        "COMPOSE_PROFILES": "s3,mail",
        "STORAGE_URL": BUCKET,
        "MAIL_PORT": str(own_port()),
        "EMAIL_PROVIDERS": "smtp",
        "SMTP_URL": "smtp://mail:1025",
        "MAIL_FROM": f"Cheershare <{SENDER}>",
    }
    made = Stack(f"cheershare-test-{secrets.token_hex(4)}", told)
    try:
        made.compose("build", "--quiet")
        made.up()
        yield made
    finally:
        made.down()


def objects(stack: Stack) -> list[str]:
    """Names of what is in the bucket, seen from inside."""
    code, said = stack.execute(stack.one("store"), "find", "/store/media", "-type", "f")
    assert code == 0, said
    return sorted(path.rpartition("/")[2] for path in said.decode().split())


async def upload(http: ClientSession) -> Kept:
    """Upload a picture that goes in parts."""
    picture = grain(1400)
    assert len(picture) > PART_BYTES
    pair = await AuthClient(http).sign_in(number())
    headers = {"Authorization": f"Bearer {pair['access_token']}", **FORM}
    data = BytesIO(picture_form(picture))
    async with http.post("/v1/media/creatives", data=data, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return Kept(http, await answer.json(), pair["user"]["id"], pair["access_token"])


async def test_store_keeps_serves_and_deletes_pictures(stack: Stack, http: ClientSession) -> None:
    kept = await upload(http)
    assert objects(stack) == ["original", "preview", "thumb"]
    whole = await kept.ask()
    assert hashlib.sha256(whole.body).hexdigest() == kept.made["sha256"]

    await asyncio.to_thread(stack.compose, "restart", "store", "media_service")
    await asyncio.to_thread(stack.until_healthy)
    async with ClientSession(stack.address, timeout=TIMEOUT) as later:
        kept.http = later
        some = await kept.ask(Range="bytes=1000000-1000009")
        assert (some.status, some.body) == (206, whole.body[1_000_000:1_000_010])
        deleted = await kept.ask("DELETE", f"/v1/media/creatives/{kept.made['id']}")
        assert deleted.status == 204
        await asyncio.to_thread(stack.until, lambda: objects(stack) == [], "it is still there")
        assert (await kept.ask()).code == "not_found"


def test_store_refuses_wrong_key_and_runs_unprivileged(stack: Stack) -> None:
    store = stack.one("store")
    assert list(store.attrs["NetworkSettings"]["Networks"]) == [stack.network("data")]
    status = stack.execute(store, "cat", "/proc/1/status")[1].decode()
    assert "\nUid:\t10001\t" in status
    assert "\nCapBnd:\t0000000000000000\n" in status
    named = ["--s3-provider", "Rclone", "--s3-endpoint", "http://127.0.0.1:9000"]
    as_nobody = ["--s3-access-key-id", "media", "--s3-secret-access-key", "guess"]
    code, said = stack.execute(store, "rclone", "lsd", "--retries", "1", *named, *as_nobody, ":s3:")
    assert (code != 0, b"403" in said) == (True, True), said


def test_store_passes_the_tests_of_every_storage(stack: Stack) -> None:
    store = stack.one("store")
    address = store.attrs["NetworkSettings"]["Networks"][stack.network("data")]["IPAddress"]
    name, secret = stack.execute(store, "cat", "/run/secrets/auth_key")[1].decode().split(",")
    told = {
        "AWS_ACCESS_KEY_ID": name,
        "AWS_SECRET_ACCESS_KEY": secret,
        "TEST_STORAGE_URL": f"s3://media?endpoint=http://{address}:9000",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-k", "elsewhere", PROMISES],
        cwd=CHECKOUT,
        env=os.environ | told,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout.decode()[-2000:]


async def test_store_key_replaced_refuses_the_old_one(stack: Stack, http: ClientSession) -> None:
    kept = await upload(http)
    _, before = stack.execute(stack.one("store"), "cat", "/run/secrets/auth_key")
    for words in (
        ("run", "--rm", "-T", "keys", "deploy.keys", "passwords"),
        ("run", "--rm", "-T", "--no-deps", "migrate"),
        ("restart", "redis", "store"),
    ):
        await asyncio.to_thread(stack.compose, *words)
    for service in PORTS:
        await asyncio.to_thread(stack.run, "deploy/roll", service)
    assert (await kept.ask()).status == 200
    assert (await (await upload(http)).ask()).status == 200
    named = ["--s3-provider", "Rclone", "--s3-endpoint", "http://127.0.0.1:9000"]
    name, secret = before.decode().split(",")
    as_before = ["--s3-access-key-id", name, "--s3-secret-access-key", secret]
    listing = ["rclone", "lsd", "--retries", "1", *named, *as_before, ":s3:"]
    code, said = stack.execute(stack.one("store"), *listing)
    assert (code != 0, b"403" in said) == (True, True), said


async def test_store_backup_holds_the_bucket(
    stack: Stack, http: ClientSession, tmp_path: Path
) -> None:
    await upload(http)
    await asyncio.to_thread(stack.run, "deploy/backup", str(tmp_path / "backup"))
    with tarfile.open(tmp_path / "backup" / "store.tar") as archive:
        files = [one.name for one in archive.getmembers() if one.isfile()]
    assert sorted(name.rpartition("/")[2] for name in files) == objects(stack) != []


async def test_code_by_mail_reaches_the_mailbox(stack: Stack, http: ClientSession) -> None:
    address = f"asha-{secrets.token_hex(4)}@example.com"
    mailbox = f"http://127.0.0.1:{stack.settings['MAIL_PORT']}/email"
    async with asyncio.timeout(30):
        auth = AuthClient(http)
        asked = await auth.call("POST", "/register", json={"email": address})
        assert asked.status == 201, asked.body
        mails: list[dict[str, Any]] = []
        while not mails:
            await asyncio.sleep(0.1)
            async with http.get(mailbox) as answer:
                mails = await answer.json()
        [mail] = mails
        assert [one["address"] for one in mail["to"]] == [address]
        assert [one["address"] for one in mail["from"]] == [SENDER]
        entry = {"email": address, "otp": mail["text"][:6], "challenge": asked.body["challenge"]}
        proven = await auth.call("POST", "/verify-otp", json=entry)
        assert (proven.status, proven.body["user"]["email_verified"]) == (200, True)
