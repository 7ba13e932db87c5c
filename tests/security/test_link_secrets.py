"""Signed links: no other service's secret makes one, and no secret has two jobs."""

import asyncio
import base64
import hashlib
import hmac
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import yaml  # type: ignore[import-untyped]
from redis.asyncio import Redis

from auth_service.settings import AuthSettings
from deploy.local.data_dir import DataDir
from deploy.local.environment import SECRETS_BY_SERVICE, EmbeddedServers, service_environment
from media_service.app import INTERFACE
from media_service.creative.schemas import FileQuery, LinkResponse
from media_service.creative.signed_link import (
    MAX_LINK_SECONDS,
    Link,
    LinkSigner,
    derive_previous_keys,
)
from media_service.settings import MediaSettings
from shared.settings import ServiceSettings
from tests.conftest import MEDIA_SECRET, REVOCATION_KEY, SECRET
from tests.support.clock import MovableClock
from tests.support.media_client import MediaClient

TEN_YEARS = 10 * 365 * 24 * 3600
OTHER_SECRET = "another-secret-of-media-service-0123456789"
MODELS: dict[str, type[ServiceSettings]] = {"auth": AuthSettings, "media": MediaSettings}
SHARED = {"redis_url", "revocation_key"}
"""What both services are told; `redis_url` holds a password of each one's own."""

METHODS = [
    operation.method
    for operation in INTERFACE.operations
    if operation.query and issubclass(operation.query, FileQuery)
]
"""Of every route that takes signed links."""


def secrets_of(model: type[ServiceSettings]) -> set[str]:
    return {name for name, field in model.model_fields.items() if "SecretStr" in str(field)}


def signed(link_signer: LinkSigner, creative: Any, expires: float) -> str:
    link = Link(UUID(creative["id"]), "original", int(expires))
    return LinkResponse.of(link, link_signer.sign(link)).url


def raw_signature(secret: str, creative: Any, expires: float) -> str:
    """A link under the secret itself, derived by nobody."""
    text = f"{creative['id']}\noriginal\n{int(expires)}".encode()
    mac = hmac.digest(secret.encode(), text, hashlib.sha256)
    signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    path = f"/v1/media/creatives/{creative['id']}/file?variant=original"
    return f"{path}&expires={int(expires)}&signature={signature}"


async def make_link(media: MediaClient, creative: Any) -> str:
    """What the service answers to the creative's owner."""
    path = f"/creatives/{creative['id']}/link"
    return str((await media.call("POST", path, json={"expires_in": 60})).body["url"])


async def statuses(media: MediaClient, url: str) -> set[int]:
    """What each route that takes links answers to whoever has this one."""
    found = set()
    for method in METHODS:
        async with media.http.request(method, url) as answer:
            found.add(answer.status)
    return found


def test_link_routes_are_found_in_the_route_table() -> None:
    assert sorted(METHODS) == ["GET", "HEAD"]


@pytest.mark.parametrize("secret", [REVOCATION_KEY, SECRET])
@pytest.mark.parametrize("seconds", [60, TEN_YEARS])
async def test_link_signed_by_another_secret_is_refused(
    media: MediaClient, clock: MovableClock, secret: str, seconds: int
) -> None:
    creative = await media.upload()
    expires = clock.now().timestamp() + seconds
    forged = [
        signed(LinkSigner([secret.encode()]), creative, expires),
        raw_signature(secret, creative, expires),
    ]
    assert [await statuses(media, url) for url in forged] == [{403}, {403}]
    ours = signed(LinkSigner([MEDIA_SECRET.encode()]), creative, expires)
    assert await statuses(media, ours) == {200}


async def test_link_after_secret_rotation_is_valid_until_its_secret_is_dropped(
    serving_media: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_media() as media:
        creative = await media.upload()
    expires = clock.now().timestamp() + 60
    old = signed(LinkSigner([MEDIA_SECRET.encode()]), creative, expires)
    new = signed(LinkSigner([OTHER_SECRET.encode()]), creative, expires)
    steps = {
        MEDIA_SECRET: ({200}, {403}),
        f"{MEDIA_SECRET},{OTHER_SECRET}": ({200}, {200}),
        f"{OTHER_SECRET},{MEDIA_SECRET}": ({200}, {200}),
        OTHER_SECRET: ({403}, {200}),
    }
    for secrets, expected in steps.items():
        async with serving_media(media_secret_keys=secrets) as other:
            assert (await statuses(other, old), await statuses(other, new)) == expected
            made = await make_link(replace(media, http=other.http), creative)
            assert await statuses(other, made) == {200}
            first = LinkSigner([secrets.partition(",")[0].encode()])
            expires_then = float(parse_qs(urlsplit(made).query)["expires"][0])
            assert made == signed(first, creative, expires_then), "the first secret signs"


async def upgrade_step(environment: dict[str, str]) -> str:
    """The value that an operator puts into `.env`, as docs/operations/upgrade.md says."""
    command = (sys.executable, "-m", "media_service", "previous-link-keys")
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    name, _, value = output.decode().strip().partition("=")
    assert name == "PREVIOUS_LINK_KEYS"
    return value


async def test_link_of_previous_release_is_valid_for_seven_days_after_upgrade(
    serving_media: Callable[..., Any],
    media_environment: dict[str, str],
    clock: MovableClock,
    redis: Redis,
) -> None:
    value = await upgrade_step(media_environment)
    release_before = LinkSigner([REVOCATION_KEY.encode()])
    now = clock.now().timestamp()
    async with serving_media() as media:
        creative = await media.upload()
        assert await statuses(media, signed(release_before, creative, now + 60)) == {403}
    async with serving_media(previous_link_keys=value) as upgraded:
        media = replace(media, http=upgraded.http)
        old = signed(release_before, creative, now + MAX_LINK_SECONDS)
        assert await statuses(media, old) == {200}
        for seconds in (MAX_LINK_SECONDS + 2 * 24 * 3600, TEN_YEARS):
            forged = signed(release_before, creative, now + seconds)
            assert await statuses(media, forged) == {403}, "no link of ours lived so long"
        made = await make_link(media, creative)
    async with serving_media() as later:
        assert await statuses(later, made) == {200}, "a previous key never signs"
        assert await statuses(later, old) == {403}


def test_previous_link_key_expires_after_eight_days(clock: MovableClock) -> None:
    [key] = derive_previous_keys([REVOCATION_KEY.encode()], clock.now())
    ends = clock.now() + timedelta(days=8)
    assert key.valid_until == int(ends.timestamp())
    assert REVOCATION_KEY not in str(key)


def test_secrets_shared_by_both_services_are_the_revocation_key_alone() -> None:
    told = {name: secrets_of(model) for name, model in MODELS.items()}
    assert told["auth"] & told["media"] == SHARED
    assert "media_secret_keys" in told["media"]


@pytest.mark.parametrize("service", MODELS)
def test_make_run_passes_a_secret_to_its_service_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/postgres")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    [other] = set(MODELS) - {service}
    foreign = secrets_of(MODELS[other]) - SHARED
    assert {name.lower() for name in SECRETS_BY_SERVICE[other]} == foreign
    for name in foreign:
        monkeypatch.setenv(name.upper(), "from the caller's environment")
    given = service_environment(service, EmbeddedServers(DataDir(tmp_path)), "http://127.0.0.1:1")
    assert {n for n in given if n.removesuffix("_FILE").lower() in foreign} == set()
    assert ("MEDIA_SECRET_KEYS_FILE" in given) is (service == "media")
    file = Path(given["REVOCATION_KEY_FILE"])
    assert file.read_text() != DataDir(tmp_path).secret("media_secret_keys")


def test_compose_passes_the_link_secret_to_media_service_alone() -> None:
    services = yaml.safe_load(Path("docker-compose.yml").read_text(encoding="utf-8"))["services"]
    told = {
        name
        for name, service in services.items()
        for setting in service.get("environment", {})
        if setting.startswith(("MEDIA_SECRET_KEYS", "PREVIOUS_LINK_KEYS"))
    }
    assert told == {"media_service"}


def test_threat_model_lists_every_secret_setting() -> None:
    text = Path("docs/threat-model.md").read_text(encoding="utf-8")
    table = text.partition("## Who holds which secret")[2].partition("\n## ")[0]
    told = {name.upper() for model in MODELS.values() for name in secrets_of(model)}
    assert {name for name in told if f"`{name}`" not in table} == set()
