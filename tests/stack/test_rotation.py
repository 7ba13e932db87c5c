"""Keys and secrets are replaced, and nobody notices."""

import json
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession

from tests.stack.stack import Stack
from tests.stack.test_journey import number
from tests.support.journey import AuthClient
from tests.support.waiting import until

SECRETS = ("secret_keys", "revocation_key")
TEN_MINUTES_LATER = """
import json, pathlib, time
for path in pathlib.Path("/keys/auth/signing").glob("*.jwk"):
    key = json.loads(path.read_text())
    key["signs_from"] -= 600
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(key))
    fresh.replace(path)
"""


A_WEEK_LATER = """
import pathlib, redis
client = redis.Redis.from_url(pathlib.Path("/run/secrets/redis_url").read_text())
client.xtrim("revocations:log", maxlen=0, approximate=False)
"""


async def status(http: ClientSession, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get("/v1/media/creatives", headers=headers) as answer:
        return answer.status


def signed_by(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_a_signing_key_is_published_before_it_signs(
    stack: Stack, http: ClientSession
) -> None:
    auth = AuthClient(http)
    before = (await auth.sign_in(number()))["access_token"]
    said = stack.compose("run", "--rm", "-T", "keys", "auth_service", "keys", "rotate").decode()
    fresh = next(line.split()[0] for line in said.splitlines() if " published, " in line)

    async def published() -> bool:
        found: list[Any] = []
        for place in stack.addresses("auth_service"):
            async with http.get(f"{place}/.well-known/jwks.json") as answer:
                found.append({key["kid"] for key in (await answer.json())["keys"]})
        return all(fresh in kids for kids in found)

    await until(published, seconds=10)
    soon = (await auth.sign_in(number()))["access_token"]
    assert signed_by(soon) == signed_by(before) != fresh
    words = "run", "--rm", "-T", "--entrypoint", "python", "keys", "-c", TEN_MINUTES_LATER
    stack.compose(*words)

    async def in_use() -> bool:
        return signed_by((await auth.sign_in(number()))["access_token"]) == fresh

    await until(in_use, seconds=20)
    after = (await auth.sign_in(number()))["access_token"]
    for _ in range(4):  # whichever replica is asked
        assert [await status(http, token) for token in (before, after)] == [200, 200]


@pytest.mark.parametrize("step", ["add", "use", "drop"])
async def test_secrets_are_replaced_step_by_step(
    stack: Stack, http: ClientSession, step: str
) -> None:
    auth = AuthClient(http)
    staying, leaving = await auth.sign_in(number()), await auth.sign_in(number())
    if step == "drop":  # what the old key has signed is trimmed by then
        code, said = stack.execute(stack.one("auth_service"), "python", "-c", A_WEEK_LATER)
        assert code == 0, said
    for secret in SECRETS:
        stack.compose("run", "--rm", "-T", "keys", "deploy.keys", step, secret)
    stack.compose("restart", "auth_service", "media_service")
    stack.until_healthy()

    async def well() -> bool:
        return await status(http, staying["access_token"]) == 200

    await until(well, seconds=10)
    body = {"refresh_token": staying["refresh_token"]}
    refreshed = await auth.call("POST", "/refresh", json=body)
    assert refreshed.status == 200, json.dumps(refreshed.body)
    assert (await auth.call("POST", "/logout", token=leaving["access_token"])).status == 204

    async def refused() -> bool:
        return await status(http, leaving["access_token"]) == 401

    await until(refused, seconds=2)
    assert (await auth.sign_in(number()))["user"]["phone_verified"]
