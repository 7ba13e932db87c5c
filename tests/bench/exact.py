"""Sign-outs whose tokens are tried at once, and what it costs to answer them exactly."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.bench.bench import Bench
from tests.bench.child import BenchError, Child
from tests.bench.client import Lines
from tests.bench.followers import following
from tests.bench.load import percentile
from tests.bench.replicas import AUTH_LINES, HONOURED, Replicas, asking, replicas, signing_out
from tests.bench.table import Figure

CALM, FAST = 100, 1_000
CALM_SHARE = 0.1
TURN_SIGN_OUTS = 300
TURNS = 3
SUBSCRIBERS = 50
UNKNOWN_SECONDS = 3.5  # a publisher that has just started waits for those it has not heard yet
MOST_P50_MS = 3.0
MOST_RATIO = 1.5
DONE = 204


@dataclass
class SignOuts:
    """Sign-outs at a rate, and what each replica answers to the token right after the answer."""

    lines: Lines
    media: Sequence[Lines] = ()
    answers: Counter[int] = field(default_factory=Counter)
    looks: Counter[int] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)
    reached: float = 0.0

    async def run(self, tokens: Sequence[str], rate: int) -> None:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for index, token in enumerate(tokens):
                late = began + index / rate - time.perf_counter()
                if late > 0:
                    await asyncio.sleep(late)
                tasks.create_task(self._sign_out(token))
        self.reached = len(tokens) / (time.perf_counter() - began)
        if set(self.answers) != {DONE}:
            raise BenchError(f"sign-outs were answered {dict(self.answers)}")

    async def _sign_out(self, token: str) -> None:
        seen = await self.lines.ask(signing_out(token))
        self.answers[seen.status] += 1
        self.took_ms.append((seen.received - seen.sent) * 1000)
        if seen.status == DONE and self.media:
            request = asking(token)
            looks = await asyncio.gather(*(lines.ask(request) for lines in self.media))
            self.looks.update(look.status for look in looks)


class Turn(NamedTuple):
    """What one turn of one of the two services came to."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float


async def exact_sign_out(bench: Bench) -> list[Figure]:
    """Try each token on three replicas right after its 204; compare with answers at once."""
    costs = await _costs(bench)  # first, as each subscriber reads the whole stream when it starts
    calm = round(bench.options.sign_outs * CALM_SHARE)
    async with replicas(bench.stack) as found:
        await asyncio.sleep(UNKNOWN_SECONDS)
        figures = [
            await _tried(bench, found, count, rate)
            for count, rate in ((calm, CALM), (bench.options.sign_outs - calm, FAST))
        ]
    return figures + costs


async def _tried(bench: Bench, found: Replicas, count: int, rate: int) -> Figure:
    tokens = [token for _, token in await bench.seeds.sessions(count)]
    if set(await found.everywhere(tokens[:: max(1, count // 100)])) != {HONOURED}:
        raise BenchError("a fresh session is not honoured")
    sign_outs = SignOuts(found.auth, found.media)
    await sign_outs.run(tokens, rate)
    honoured = sign_outs.looks[HONOURED]
    p50, p99 = (percentile(sign_outs.took_ms, share) for share in (0.5, 0.99))
    return Figure(
        f"{count:,} sign-outs at {rate:,}/s, tried at once",
        f"{honoured} honoured of {sign_outs.looks.total():,}; p50 {p50:.1f}, p99 {p99:.1f} ms,"
        f" {sign_outs.reached:,.0f}/s",
        target="0 honoured",
        met=honoured == 0,
        raw={
            "looks": dict(sign_outs.looks),
            "p50_ms": p50,
            "p99_ms": p99,
            "reached": sign_outs.reached,
        },
    )


async def _costs(bench: Bench) -> list[Figure]:
    """In turns with a publisher that answers at once, first for three replicas, then for many."""
    stack = bench.stack
    with (
        stack.auth() as exact, stack.auth(module="tests.bench.unwaited") as unwaited,
        stack.media(), stack.media(), stack.media(),
    ):  # fmt: skip
        await asyncio.sleep(UNKNOWN_SECONDS)
        few = await _in_turns(bench, exact, unwaited)
        async with following(stack, SUBSCRIBERS):
            many = await _in_turns(bench, exact, unwaited)
    return [_compared("a sign-out's answer", *few), _cpu(*many)]


async def _in_turns(bench: Bench, exact: Child, unwaited: Child) -> tuple[list[Turn], list[Turn]]:
    turns: tuple[list[Turn], list[Turn]] = [], []
    for _ in range(TURNS):
        for service, done in zip((exact, unwaited), turns, strict=True):
            done.append(await _turn(bench, service))
    return turns


async def _turn(bench: Bench, service: Child) -> Turn:
    tokens = [token for _, token in await bench.seeds.sessions(TURN_SIGN_OUTS)]
    lines = Lines(service.port, AUTH_LINES)
    sign_outs = SignOuts(lines)
    before = service.cpu()
    await sign_outs.run(tokens, CALM)
    cpu_ms = (service.cpu() - before) * 1000 / len(tokens)
    lines.close()
    p50, p99 = (percentile(sign_outs.took_ms, share) for share in (0.5, 0.99))
    return Turn(p50, p99, cpu_ms)


def _compared(name: str, exact: list[Turn], unwaited: list[Turn]) -> Figure:
    more = median(a.p50_ms - b.p50_ms for a, b in zip(exact, unwaited, strict=True))
    ratio = median(a.p99_ms / b.p99_ms for a, b in zip(exact, unwaited, strict=True))
    return Figure(
        name,
        _shown(exact),
        floor=_shown(unwaited),
        ratio=f"p50 +{more:.1f} ms, p99 x {ratio:.2f}",
        target=f"p50 ≤ +{MOST_P50_MS:.0f} ms, p99 ≤ x {MOST_RATIO}",
        met=more <= MOST_P50_MS and ratio <= MOST_RATIO,
        raw={"exact": exact, "unwaited": unwaited},
    )


def _cpu(exact: list[Turn], unwaited: list[Turn]) -> Figure:
    ratio = median(a.cpu_ms / b.cpu_ms for a, b in zip(exact, unwaited, strict=True))
    return Figure(
        f"… CPU, {SUBSCRIBERS} subscribers more",
        f"{median(one.cpu_ms for one in exact):.2f} ms",
        floor=f"{median(one.cpu_ms for one in unwaited):.2f} ms",
        ratio=f"x {ratio:.2f}",
        target=f"≤ x {MOST_RATIO}",
        met=ratio <= MOST_RATIO,
        raw={"exact": exact, "unwaited": unwaited},
    )


def _shown(turns: list[Turn]) -> str:
    p50, p99 = median(one.p50_ms for one in turns), median(one.p99_ms for one in turns)
    return f"p50 {p50:.1f}, p99 {p99:.1f} ms; CPU {median(one.cpu_ms for one in turns):.2f} ms"
