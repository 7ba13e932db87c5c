"""Who may call: tokens, revocations, and what happens when neither can be judged."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from media_service.app import INTERFACE
from shared.revocation.message import REVOCATION_HEAD
from shared.tokens import LEEWAY_SECONDS
from tests.conftest import AUDIENCE, ISSUER, REVOCATION_KEY
from tests.support.media_client import MEDIA, MediaClient, files_below, picture_form
from tests.support.tokens import Mint, revoke_session
from tests.support.waiting import until

OPEN = 4  # search, the photo of a visible product with and without its bytes, a feed
ANY_ID = "0198c0de-0000-7000-8000-000000000000"


def session_of(client: MediaClient) -> str:
    claims = jwt.decode(client.token, options={"verify_signature": False})
    return str(claims["sid"])


async def test_media_routes_without_token_are_401_except_open_ones(media: MediaClient) -> None:
    guarded = [operation for operation in INTERFACE.operations if operation.needs_token]
    assert len(guarded) == len(INTERFACE.operations) - OPEN
    for operation in guarded:
        path = MEDIA + operation.path.replace("{id}", ANY_ID).replace("{did}", ANY_ID)
        async with media.http.request(operation.method, path) as answer:
            assert answer.status == 401, path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            if operation.method != "HEAD":
                assert (await answer.json(content_type=None))["code"] == "token_missing"


async def test_access_token_forged_or_expired_is_token_invalid(
    media: MediaClient, mint: Mint
) -> None:
    now = int(datetime.now(UTC).timestamp())
    stranger = Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE)
    user = media.user_id
    for token in (
        "x",
        media.token[:-2],
        stranger.token(user),
        mint.token(user, exp=now - LEEWAY_SECONDS - 1),
        mint.token(user, aud="elsewhere"),
        mint.token(user, iss="http://elsewhere"),
        mint.token(user, sub="nobody"),
    ):
        forged = MediaClient(media.http, mint, user, token)
        refused = await forged.call("GET", "/creatives")
        assert (refused.status, refused.code) == (401, "token_invalid")


async def test_access_token_revoked_is_token_revoked(media: MediaClient, redis: Redis) -> None:
    created = await media.upload()
    await revoke_session(redis, session_of(media), REVOCATION_KEY)
    async with asyncio.timeout(2):
        while (await media.call("GET", "/creatives")).status == 200:
            pass
    path = f"/creatives/{created['id']}"
    for method, where in (("GET", path), ("GET", f"{path}/file"), ("DELETE", path)):
        assert (await media.call(method, where)).code == "token_revoked"
    fresh = MediaClient.of(media.http, media.mint, media.user_id)
    assert (await fresh.call("GET", path)).status == 200


async def test_upload_token_revoked_meanwhile_stores_nothing(
    media: MediaClient, redis: Redis, files: Path
) -> None:
    body = picture_form()
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(media.head(length=len(body)) + body[:-20])
    await writer.drain()
    async with asyncio.timeout(5):
        await until(lambda: files_below(files))
        await revoke_session(redis, session_of(media), REVOCATION_KEY)
        while (await media.call("GET", "/creatives")).status == 200:
            pass
        writer.write(body[-20:])
        answer = await reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"token_revoked" in answer
    writer.close()
    assert files_below(files) == []


async def test_upload_token_expired_meanwhile_stores_nothing(
    media: MediaClient, files: Path
) -> None:
    now = int(datetime.now(UTC).timestamp())
    token = media.mint.token(media.user_id, exp=now + 2 - LEEWAY_SECONDS)
    brief, body = replace(media, token=token), picture_form()
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(brief.head(length=len(body)) + body[:-20])
    await writer.drain()
    async with asyncio.timeout(5):
        await until(lambda: files_below(files))
        while (await brief.call("GET", "/creatives")).status == 200:
            await asyncio.sleep(0.01)
        writer.write(body[-20:])
        answer = await reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"token_invalid" in answer
    writer.close()
    assert files_below(files) == []


async def test_revocations_stale_refuse_every_token_with_503(
    serving_media: Callable[..., Any], redis: Redis
) -> None:
    async with serving_media(revocation_max_staleness=1.5) as media:
        await redis.delete(REVOCATION_HEAD)
        async with asyncio.timeout(10):
            while (refused := await media.call("GET", "/creatives")).status == 200:
                await asyncio.sleep(0.05)
        assert (refused.status, refused.code) == (503, "service_unavailable")
        assert refused.headers["Retry-After"] == "1"
        async with media.http.get("/readyz") as ready:
            assert ready.status == 503
            said = await ready.json()
            assert said["checks"]["revocations"] is False
            reason = said["reasons"]["revocations"]
            assert "s ago: auth_service has not written them to Redis" in reason


async def test_jwks_file_replaced_switches_keys_and_broken_one_is_ignored(
    media: MediaClient, jwks_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE, kid="second")
    newcomer = MediaClient.of(media.http, other)
    assert (await newcomer.call("GET", "/creatives")).status == 401
    await asyncio.to_thread(jwks_file.write_text, "{ broken")
    await until(lambda: "keys.unreadable" in capsys.readouterr().out)
    assert (await media.call("GET", "/creatives")).status == 200  # the last good set
    other.write_jwks(jwks_file)
    async with asyncio.timeout(5):
        while (await newcomer.call("GET", "/creatives")).status != 200:
            await asyncio.sleep(0.05)
    assert (await media.call("GET", "/creatives")).code == "token_invalid"


async def test_media_service_without_keys_does_not_become_ready(
    serving_media: Callable[..., Any], jwks_file: Path
) -> None:
    await asyncio.to_thread(jwks_file.unlink)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2), serving_media():
            pytest.fail("served without a key")
