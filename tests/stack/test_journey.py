"""The main job through the gateway, with two replicas of each service behind it."""

import os
import sys
import time

from aiohttp import ClientSession

from tests.stack.load import HONOURED_SECONDS
from tests.stack.stack import PORTS, Stack
from tests.support.auth_client import AuthClient
from tests.support.waiting import until


def number() -> str:
    return f"+9198{int.from_bytes(os.urandom(4)) % 10**8:08}"


def test_make_demo_succeeds(stack: Stack) -> None:
    said = stack.run("env", f"BASE_URL={stack.address}", sys.executable, "-m", "deploy.local.demo")
    assert b"the whole job is done" in said


async def test_code_requested_at_one_replica_is_consumed_at_the_other(stack: Stack) -> None:
    first, second = stack.addresses("auth_service")
    async with ClientSession(first) as here, ClientSession(second) as there:
        person = number()
        sent = await AuthClient(here).request_code(person)
        assert sent.status == 202
        async with ClientSession(stack.address) as http:  # the inbox is for this machine alone
            code = await AuthClient(http).code(person)
        entered = await AuthClient(there).enter_code(person, code, sent.body["challenge"])
        assert entered.status == 201
        again = await AuthClient(here).enter_code(person, code, sent.body["challenge"])
        assert again.code == "otp_invalid"


async def test_revoked_token_is_refused_by_every_replica(stack: Stack, http: ClientSession) -> None:
    auth = AuthClient(http)
    token = (await auth.sign_in(number()))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    asked = {"auth_service": "/v1/auth/me", "media_service": "/v1/media/creatives"}
    places = [address + asked[service] for service in PORTS for address in stack.addresses(service)]
    assert len(places) == 4

    async def statuses() -> list[int]:
        found = []
        for place in places:
            async with http.get(place, headers=bearer) as answer:
                found.append(answer.status)
        return found

    assert await statuses() == [200] * 4
    assert (await auth.call("POST", "/logout", token=token)).status == 204

    ended = time.monotonic()

    async def refused() -> bool:
        late, found = time.monotonic() - ended > HONOURED_SECONDS, await statuses()
        assert not (late and 200 in found)
        return found == [401] * 4

    await until(refused, seconds=20)  # until then one may say that it cannot tell, 503
