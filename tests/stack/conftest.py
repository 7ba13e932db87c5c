"""One stack with two replicas of each service for all tests here, gone afterwards."""

import secrets
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from types import FrameType

import pytest
from aiohttp import ClientSession

from tests.stack.load import TIMEOUT, Load, Outcome
from tests.stack.stack import PORTS, Stack, engine_missing

REPLICAS = 2


@dataclass
class Fault:
    """A line of the table that the run ends with."""

    name: str
    requests: int
    failed: int
    told_later: int
    acknowledged: int
    lost: int
    wrongly_accepted: int
    recovery: float

    @classmethod
    def of(cls, name: str, load: Load, found: Outcome, recovery: float) -> "Fault":
        return cls(
            name,
            load.requests,
            len(load.failures),
            load.told_later,
            found.acknowledged,
            len(found.lost),
            len(found.wrongly_accepted),
            recovery,
        )


FAULTS = pytest.StashKey[list[Fault]]()
FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FAULTS] = []
    config.stash[FIGURES] = []


def pytest_sessionstart() -> None:
    """A run that is told to end removes its containers as one that is interrupted does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was survived."""
    write = terminalreporter.write_line
    for figure in config.stash[FIGURES]:
        write(figure)
    if not config.stash[FAULTS]:
        return
    write("")
    columns = (
        *("fault", "requests", "failed", "told later", "acknowledged"),
        *("lost", "wrongly accepted", "recovery"),
    )
    write("| {:<36} | {:>8} | {:>6} | {:>10} | {:>12} | {:>4} | {:>16} | {:>8} |".format(*columns))
    write("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for one in config.stash[FAULTS]:
        write(
            f"| {one.name:<36} | {one.requests:>8} | {one.failed:>6} | {one.told_later:>10} "
            f"| {one.acknowledged:>12} "
            f"| {one.lost:>4} | {one.wrongly_accepted:>16} | {one.recovery:>6.1f} s |"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a test that failed what the containers complained of meanwhile."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("complaints of the containers", stack.complaints(call.start)))
    return report


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> list[Fault]:
    return pytestconfig.stash[FAULTS]


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[str]:
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def started(figures: list[str]) -> Iterator[Stack]:
    if missing := engine_missing():
        pytest.fail(f"these tests need a Docker engine: {missing}")
    stack = Stack(f"cheershare-test-{secrets.token_hex(4)}")
    try:
        stack.compose("build", "--quiet")
        figures.append(
            f"healthy {stack.up(replicas=REPLICAS):.0f} s after `docker compose up --wait`"
        )
        yield stack
    finally:
        stack.down()


@pytest.fixture
def stack(started: Stack) -> Stack:
    """The stack, whole: a test that failed may have left it otherwise."""
    if any(len(started.replicas(service)) != REPLICAS for service in PORTS):
        started.up(replicas=REPLICAS)
    started.until_healthy()
    return started


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[ClientSession]:
    """A client of the gateway."""
    async with ClientSession(stack.address, timeout=TIMEOUT) as session:
        yield session
