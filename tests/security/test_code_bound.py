"""However many clients take part, guesses at a destination's codes stay below one bound."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.keyring import Keyring
from shared.entropy import SystemEntropy
from tests.conftest import SECRET
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
CODE = "424242"
WRONG = "171717"
MOST_WITHOUT_HANDLE = 5
LIMITS = {
    "trusted_proxies": "127.0.0.1",
    "limit_send_per_destination": "2/hour",
    "limit_send_total_per_destination": "5/hour",
    "limit_wrong_per_destination": f"{MOST_WITHOUT_HANDLE}/hour",
    "limit_wrong_per_ip": "50/hour",
}
PURPOSES = ("signup", "verify", "login", "reset_password")
ASK = {
    "signup": "/signup",
    "verify": "/resend-otp",
    "login": "/login",
    "reset_password": "/forgot-password",
}
PROVE = {
    "signup": "/signup",
    "verify": "/verify-otp",
    "login": "/login",
    "reset_password": "/verify-reset",
}


def body_of(purpose: str, to: str) -> dict[str, str]:
    if purpose == "signup":
        return {"phone_number": MOBILE}
    return {"mobile": to} if to == MOBILE else {"email": to}


class Attack:
    """Random clients ask for codes and guess at them; every effective guess is counted.

    A guess is effective when it was compared with a code that was really sent: the counter of a
    challenge rises then whose stored MAC is a code's.
    """

    def __init__(self, auth: AuthClient, redis: Redis, seed: int) -> None:
        self.auth = auth
        self.redis: Any = redis
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.keyring = Keyring([SECRET.encode()], SystemEntropy())
        self.handles: list[tuple[str, str, str]] = []
        self.effective: Counter[tuple[str, str]] = Counter()
        self.real: dict[str, set[bytes]] = {MOBILE: set(), EMAIL: set()}
        self.counted: dict[tuple[bytes, str], int] = {}

    async def step(self, devices: list[str]) -> None:
        purpose = self.chance.choice(PURPOSES)
        to = MOBILE if purpose == "signup" else self.chance.choice((MOBILE, EMAIL))
        client = f"203.0.{self.chance.randrange(40)}.7"
        if self.chance.random() < 0.45:
            await self._ask(purpose, to, client, devices)
        else:
            await self._guess(purpose, to, client)
        await self._count()

    async def _ask(self, purpose: str, to: str, client: str, devices: list[str]) -> None:
        more = {"name": "Asha"} if purpose == "signup" else {}
        if self.chance.random() < 0.3:
            more["device"] = self.chance.choice(devices)
        path, body = ASK[purpose], {**body_of(purpose, to), **more}
        answer = await post(self.auth, path, address=client, **body)
        assert answer.status in {202, 403, 404, 429}, answer.body
        if answer.status == 202:
            self.handles.append((purpose, to, answer.body["challenge"]))

    async def _guess(self, purpose: str, to: str, client: str) -> None:
        body: dict[str, str] = {"otp": WRONG}
        if self.handles and self.chance.random() < 0.6:
            purpose, to, body["challenge"] = self.chance.choice(self.handles)
        body |= body_of(purpose, to)
        answer = await post(self.auth, PROVE[purpose], address=client, **body)
        assert answer.status in {401, 429}, answer.body

    async def _count(self) -> None:
        """Look at every challenge: which ones hold a real code, and whose counters rose."""
        async for key in self.redis.scan_iter("challenge:*"):
            found = await self.redis.hgetall(key)
            for to in (MOBILE, EMAIL):
                macs = {self._mac(purpose, to) for purpose in PURPOSES}
                if found[b"mac"].decode() in macs:
                    self.real[to].add(key)
                    self._note(key, to, found)

    def _note(self, key: bytes, to: str, found: dict[bytes, bytes]) -> None:
        for counter, how in ((b"wrong_handle", "handle"), (b"wrong_newest", "newest")):
            risen = int(found[counter]) - self.counted.get((key, how), 0)
            self.effective[to, how] += risen
            self.counted[key, how] = int(found[counter])

    def _mac(self, purpose: str, to: str) -> str:
        return self.keyring.mac("otp", f"{purpose}\0{to}\0{CODE}".encode()).hex()


async def all_delivered(auth: AuthClient, to: str, count: int) -> int:
    """How many codes have arrived, once there are as many as real challenges, or after 10 s."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while len(await auth.codes(to)) < count:
                await asyncio.sleep(0.01)
    return len(await auth.codes(to))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("disclosure", ["reveal", "conceal"])
@pytest.mark.parametrize("held", [True, False])
async def test_guesses_random_clients_stay_below_bound(
    serving_auth: Callable[..., Any],
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    disclosure: str,
    *,
    held: bool,
) -> None:
    async with serving_auth() as auth:
        strangers = await auth.sign_in("+919876500000")
        devices = [strangers["device"]]
        if held:
            own = await activate(auth, mobile=MOBILE)
            devices.append(own["device"])
            await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
        else:
            await post(auth, "/register", mobile=MOBILE)
            await post(auth, "/register", email=EMAIL)
        for to in (MOBILE, EMAIL):
            await auth.code(to)
        arrived = {to: len(await auth.codes(to)) for to in (MOBILE, EMAIL)}
    monkeypatch.setattr("auth_service.otp.code_source.generate_code", lambda _entropy: CODE)
    async with serving_auth(account_disclosure=disclosure, **LIMITS) as auth:
        attack = Attack(auth, redis, seed)
        for _ in range(60):
            await attack.step(devices)
        for to in (MOBILE, EMAIL):
            queued = len(attack.real[to])
            assert await all_delivered(auth, to, arrived[to] + queued) == arrived[to] + queued
            assert attack.effective[to, "handle"] <= 3 * queued
            assert attack.effective[to, "newest"] <= MOST_WITHOUT_HANDLE
        assert sum(attack.effective.values()) > 0
