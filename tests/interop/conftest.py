"""The whole stack as `make run` starts it, and what real clients see of it."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.interop.programs import Workshop
from tests.interop.walk import Route, Walk, table, walk_all
from tests.support.running_stack import stack_address

TABLE = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """BASE_URL, or a stack of our own that is gone afterwards."""
    with stack_address() as url:
        yield url


@pytest.fixture(scope="session")
def walks(
    request: pytest.FixtureRequest, address: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Walk]:
    """What each of the chosen clients saw; they walk beside each other."""
    chosen = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "walks" in item.fixturenames
    ]
    route = Route(auth=address, media=address, front=address)
    workshop = Workshop(tmp_path_factory.mktemp("clients"))
    found = asyncio.run(walk_all(workshop, route, chosen))
    request.config.stash[TABLE] = table(found)
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the status of each step."""
    for line in config.stash.get(TABLE, []):
        terminalreporter.write_line(line)
