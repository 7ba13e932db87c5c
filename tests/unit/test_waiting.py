"""A test that waits in vain fails with what it waited for."""

import asyncio

import pytest

from tests.local.processes import until as wait_until
from tests.support.waiting import until


async def test_until_unmet_condition_shows_its_source() -> None:
    async def has_arrived() -> bool:
        return False

    with pytest.raises(AssertionError, match=r"(?s)not within 0\.01 s: .*has_arrived.*False"):
        await until(has_arrived, 0.01)
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: .*all\(\[False\]\)"):
        await until(lambda: all([False]), 0.01)


async def test_until_hanging_condition_shows_its_source() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: .*asyncio\.sleep\(9\)"):
        await until(lambda: asyncio.sleep(9), 0.01)


def test_until_unmet_condition_without_source_shows_its_repr() -> None:
    with pytest.raises(AssertionError, match="not within 0 s: <class 'bool'>"):
        wait_until(bool, 0)
