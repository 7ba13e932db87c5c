"""Keys, secrets and passwords are replaced while people are at work."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import jwt
from aiohttp import ClientError, ClientSession
from docker.models.containers import Container

from tests.stack.conftest import Fault
from tests.stack.load import STEADY_SECONDS, Load, load_on
from tests.stack.stack import CHECKOUT, PORTS, Stack
from tests.stack.test_journey import number
from tests.stack.test_replicas import upstreams
from tests.stack.time_travel import age_revocations, age_signing_keys, revocations_told
from tests.support.auth_client import AuthClient
from tests.support.waiting import until

SECRETS = {
    "secret_keys": "auth_service",
    "revocation_key": "auth_service",
    "media_secret_keys": "media_service",
}
"""Each secret, and a service that holds it."""
TEN_MINUTES, TWO_HOURS = 600, 7200
OUTLIVED = 81 * 60  # a token's longest life, and what clocks may differ by
KEYS = "run", "--rm", "-T", "keys"
MOST_SECONDS, MOST_AWAY_SECONDS = 15, 10
BLOCKED = b"revocations.unverified_entry_blocks"
OPENS = """
import asyncio, asyncpg, sys
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

async def main():
    try:
        await asyncpg.connect(sys.argv[1])
    except asyncpg.InvalidPasswordError:
        try:
            await Redis.from_url(sys.argv[2]).ping()
        except AuthenticationError:
            print("neither")

asyncio.run(main())
"""


def secret(stack: Stack, service: str, name: str) -> str:
    code, said = stack.execute(stack.one(service), "cat", f"/run/secrets/{name}")
    assert code == 0, said
    return said.decode()


async def check_promises(stack: Stack, load: Load) -> None:
    """Nothing failed, and whatever was promised holds at every replica."""
    everywhere = [place for service in PORTS for place in stack.addresses(service)]
    found = await load.outcome(everywhere)
    assert load.failures == []
    assert (found.lost, found.wrongly_accepted) == ([], [])


def signed_by(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_signing_key_rotated_is_published_before_it_signs(
    stack: Stack, http: ClientSession
) -> None:
    auth = AuthClient(http)

    def rotate() -> str:
        said = stack.compose(*KEYS, "auth_service", "keys", "rotate").decode()
        return next(line.split()[0] for line in said.splitlines() if " published, " in line)

    async def signer() -> str:
        return signed_by((await auth.sign_in(number()))["access_token"])

    async def published() -> list[set[str]]:
        found = []
        for place in stack.addresses("auth_service"):
            async with http.get(f"{place}/.well-known/jwks.json") as answer:
                found.append({key["kid"] for key in (await answer.json())["keys"]})
        return found

    old = await signer()
    async with load_on(stack.address) as load:
        await load.under_way()
        fresh = await asyncio.to_thread(rotate)

        async def everywhere() -> bool:
            return all({old, fresh} <= kids for kids in await published())

        await until(everywhere, seconds=20)
        assert await signer() == old
        await asyncio.to_thread(age_signing_keys, stack, TEN_MINUTES)

        async def in_use() -> bool:
            return await signer() == fresh

        await until(in_use, seconds=20)
        await load.steady(time.monotonic())
        await load.stop()
        await check_promises(stack, load)

    await asyncio.to_thread(age_signing_keys, stack, TWO_HOURS)
    await asyncio.to_thread(rotate)

    async def retired() -> bool:
        return not any(old in kids for kids in await published())

    await until(retired, seconds=20)


async def test_signing_key_stolen_and_replaced_is_refused(
    stack: Stack, http: ClientSession
) -> None:
    """The procedure of docs/operations/upgrade.md."""
    auth = AuthClient(http)
    pair = await auth.sign_in(number())
    command = "rm /keys/signing/*.jwk && python -m auth_service keys generate"
    words = "run", "--rm", "-T", "--entrypoint", "sh", "keys", "-c", command
    assert command in (CHECKOUT / "docs/operations/upgrade.md").read_text()
    await asyncio.to_thread(stack.compose, *words)
    asked = {"auth_service": "/v1/auth/me", "media_service": "/v1/media/creatives"}
    places = [place + asked[service] for service in PORTS for place in stack.addresses(service)]

    async def all_answer(token: str, status: int) -> bool:
        found = set()
        for place in places:
            async with http.get(place, headers={"Authorization": f"Bearer {token}"}) as answer:
                found.add(answer.status)
        return found == {status}

    await until(lambda: all_answer(pair["access_token"], 401), seconds=20)
    fresh: list[str] = []

    async def refreshed() -> bool:  # 503 from a replica that has looked between the two commands
        again = await auth.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})
        assert again.status in {200, 503}, again.body
        fresh.extend([again.body["access_token"]] if again.status == 200 else [])
        return bool(fresh)

    await until(refreshed, seconds=20)
    await until(lambda: all_answer(fresh[0], 200), seconds=20)


def run_key_step(stack: Stack, step: str, *options: str) -> None:
    """Take one step with each of the secrets."""
    for name in SECRETS:
        stack.compose(*KEYS, "deploy.keys", step, name, *options)


async def roll_under_load(stack: Stack) -> None:
    """Replace every replica, one at a time, and let nobody notice."""
    async with load_on(stack.address) as load:
        await load.under_way()
        for service in PORTS:
            await asyncio.to_thread(stack.run, "deploy/roll", service)
        await load.steady(time.monotonic())
        await load.stop()
        await check_promises(stack, load)


def read_secrets(stack: Stack) -> dict[str, list[str]]:
    return {name: secret(stack, holder, name).split(",") for name, holder in SECRETS.items()}


async def test_secrets_added_used_and_dropped_interrupt_no_request(
    stack: Stack, http: ClientSession
) -> None:
    before = read_secrets(stack)
    await asyncio.to_thread(run_key_step, stack, "add")
    await roll_under_load(stack)
    both = read_secrets(stack)
    assert {name: keys[:-1] for name, keys in both.items()} == before
    await asyncio.to_thread(run_key_step, stack, "use")
    await roll_under_load(stack)
    assert read_secrets(stack) == {name: keys[::-1] for name, keys in both.items()}
    token = (await AuthClient(http).sign_in(number()))["access_token"]
    await asyncio.to_thread(run_key_step, stack, "drop", "--force")
    await dropped_too_early(stack, http, token)
    await roll_under_load(stack)
    assert read_secrets(stack) == {name: keys[1:] for name, keys in both.items()}


async def dropped_too_early(stack: Stack, http: ClientSession, token: str) -> None:
    """A replica without the key judges nobody until what it signed has cut off its last token."""
    async with extra_replica(stack) as (fresh, place):
        await asyncio.to_thread(stack.until, lambda: fresh.logs().count(BLOCKED) > 1, "not blocked")

        async def says(ready: bool) -> bool:
            try:
                async with http.get(f"{place}/readyz") as answer:
                    return (await answer.json())["checks"]["revocations"] is ready
            except ClientError:  # it does not listen yet
                return False

        await until(lambda: says(ready=False), seconds=20)
        await check_passed_over(stack, http, place, token)
        told = revocations_told(stack)
        await asyncio.to_thread(age_revocations, stack, OUTLIVED)
        await until(lambda: says(ready=True), seconds=20)
        assert revocations_told(stack) >= told > 0  # nothing was trimmed meanwhile


@asynccontextmanager
async def extra_replica(stack: Stack) -> AsyncIterator[tuple[Container, str]]:
    """One more replica of media_service, ready or not, and where it is; gone afterwards."""
    known = {one.id for one in stack.replicas("media_service")}
    words = "up", "--detach", "--no-deps", "--no-recreate", "--scale", "media_service=3"
    await asyncio.to_thread(stack.compose, *words, "media_service")
    places = zip(stack.replicas("media_service"), stack.addresses("media_service"), strict=True)
    [(fresh, place)] = [(one, place) for one, place in places if one.id not in known]
    try:
        yield fresh, place
    finally:
        fresh.remove(force=True)


async def check_passed_over(stack: Stack, http: ClientSession, place: str, token: str) -> None:
    """The gateway asks that replica, too, and somebody else when it says that it cannot answer."""
    began, bearer = time.time(), {"Authorization": f"Bearer {token}"}

    async def asked() -> bool:
        async with http.get("/v1/media/creatives", headers=bearer) as found:
            assert found.status == 200
        return place.removeprefix("http://") in upstreams(stack, began)

    await until(asked, seconds=20)


def replace_passwords(stack: Stack) -> None:
    """The procedure of docs/operations/upgrade.md."""
    stack.compose(*KEYS, "deploy.keys", "passwords")
    stack.compose("run", "--rm", "-T", "--no-deps", "migrate")
    stack.compose("restart", "redis")
    for service in ("media_service", "auth_service"):
        stack.run("deploy/roll", service)
    stack.compose(*KEYS)
    stack.compose("restart", "redis")


async def test_passwords_replaced_lose_no_write_and_refuse_the_old_ones(
    stack: Stack, faults: list[Fault], figures: list[str]
) -> None:
    urls = ("database_url", "redis_url")
    before = {service: [secret(stack, service, url) for url in urls] for service in PORTS}
    async with load_on(stack.address) as load:
        await load.under_way()
        await asyncio.to_thread(replace_passwords, stack)
        recovery = await load.steady(time.monotonic())
        await load.stop()
        await asyncio.to_thread(stack.until_healthy)
        everywhere = [place for service in PORTS for place in stack.addresses(service)]
        found = await load.outcome(everywhere)
    failed = sorted(began for began, _, _ in load.failed)
    away = sum(end - begun for begun, end in pairwise(failed) if end - begun < STEADY_SECONDS)
    figures.append(f"interrupted for {away:.1f} s in all while passwords were replaced")
    faults.append(Fault.of("passwords replaced", load, found, recovery))
    assert (found.lost, found.wrongly_accepted) == ([], [])
    assert [what for what in load.failures if ": 500 " in what] == []
    assert away < MOST_AWAY_SECONDS, load.failures[-3:]
    assert recovery < MOST_SECONDS, load.failures[-3:]
    for service, old in before.items():
        code, said = stack.execute(stack.one(service), "python", "-c", OPENS, *old)
        assert (code, said) == (0, b"neither\n")
