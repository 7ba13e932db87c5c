"""What an answer's time tells: whether an account exists, and whether passwords are checked."""

import asyncio
import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median, quantiles
from uuid import uuid4

import asyncpg
from aiohttp import ClientSession
from argon2 import PasswordHasher

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.stack import Stack
from tests.bench.table import Figure, at_most

SAMPLES = 2_000
WARM_UP = 100
AT_ONCE = 6  # each waits 50 ms for its answer, of which it works 2
PASSWORD, WRONG = "correct horse battery", "another horse battery"
PATHS: dict[str, tuple[str, dict[str, str], int]] = {
    "register": ("/register", {}, 202),
    "login by code": ("/login", {}, 202),
    "resend": ("/resend-otp", {}, 202),
    "forgot password": ("/forgot-password", {}, 202),
    "login by password": ("/login", {"password": WRONG}, 401),
}
# As little as may be set: a slow hash would hide what else differs.
QUICK = {"ARGON2_MEMORY_KIB": "64", "ARGON2_TIME": "1"}
LOGINS, ROUNDS = 64, 3
LOOK_SECONDS = 0.002
INSERT = """
INSERT INTO users (id, name, email, email_verified, password, status, created_at)
SELECT gen_random_uuid(), '', e, true, $2, 'active', $3 FROM unnest($1::text[]) e"""


def separability(some: Sequence[float], others: Sequence[float]) -> float:
    """How often a threshold on the time tells one from another: 0.5 is by chance (AUC)."""
    ordered = sorted(others)
    wins = sum(
        (bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in some
    ) / (len(some) * len(ordered))
    return max(wins, 1 - wins)


async def concealed_timing(bench: Bench) -> list[Figure]:
    """Known and unknown addresses in random order, so few at once that they hardly meet."""
    known = await _people(bench.stack, SAMPLES + WARM_UP, PasswordHasher(1, 64, 1).hash(PASSWORD))
    with bench.stack.auth(ACCOUNT_DISCLOSURE="conceal", **QUICK) as auth:
        async with ClientSession(f"http://127.0.0.1:{auth.port}") as http:
            return [await _compared(http, name, known) for name in PATHS]


async def _compared(http: ClientSession, name: str, known: list[str]) -> Figure:
    path, more, expected = PATHS[name]
    tries = [(True, email) for email in known]
    tries += [(False, f"{uuid4().hex}@bench.example") for _ in known]
    random.shuffle(tries)
    times: dict[bool, list[float]] = {True: [], False: []}

    async def ask() -> None:
        while tries:
            is_known, email = tries.pop()
            times[is_known].append(await _timed(http, path, {"email": email, **more}, expected))

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    found = separability(times[True][WARM_UP:], times[False][WARM_UP:])
    each = f" ({median(times[True]) * 1000:.2f} and {median(times[False]) * 1000:.2f} ms)"
    return at_most(f"known or unknown, {name}", found, 0.55, "AUC", remark=each)


async def _timed(http: ClientSession, path: str, body: dict[str, str], expected: int) -> float:
    began = time.perf_counter()
    async with http.post(f"/v1/auth{path}", json=body) as answer:
        await answer.read()
    if answer.status != expected:
        raise BenchError(f"{path} answered {answer.status}")
    return time.perf_counter() - began


async def password_logins(bench: Bench) -> list[Figure]:
    """64 logins at once, with the hash that is the default, while somebody else asks `/healthz`."""
    [email] = await _people(bench.stack, 1, PasswordHasher(2, 19456, 1).hash(PASSWORD))
    with bench.stack.auth() as auth:
        async with ClientSession(f"http://127.0.0.1:{auth.port}") as http:
            before, waits, busy = auth.memory(), list[float](), asyncio.Event()
            looking = asyncio.create_task(_look(http, waits, busy))
            began = time.perf_counter()
            for _ in range(ROUNDS):
                await asyncio.gather(*(_login(http, email) for _ in range(LOGINS)))
            seconds = time.perf_counter() - began
            busy.set()
            await looking
            grown = auth.memory() - before
    name = f"{LOGINS} password logins at once, "
    p99 = quantiles(waits, n=100)[-1] * 1000
    rate = f" ({ROUNDS * LOGINS / seconds:.0f} logins/s, {len(waits)} looks)"
    return [
        at_most(f"{name}/healthz p99", p99, 100, "ms", remark=rate),
        Figure(f"{name}memory", f"{grown:.0f} MiB more", raw={"grown_mib": grown}),
    ]


async def _look(http: ClientSession, waits: list[float], done: asyncio.Event) -> None:
    while not done.is_set():
        began = time.perf_counter()
        async with http.get("/healthz") as answer:
            await answer.read()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(LOOK_SECONDS)


async def _login(http: ClientSession, email: str) -> None:
    body = {"email": email, "password": PASSWORD}
    async with http.post("/v1/auth/login", json=body) as answer:
        if answer.status != 200:
            raise BenchError(f"a login was answered {answer.status}")


async def _people(stack: Stack, count: int, password: str) -> list[str]:
    emails = [f"{uuid4().hex}@bench.example" for _ in range(count)]
    connection = await asyncpg.connect(stack.dsn("auth"))
    await connection.execute(INSERT, emails, password, datetime.now(UTC))
    await connection.close()
    return emails
