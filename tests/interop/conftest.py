"""The whole stack as `make run` starts it, for clients of other languages."""

from collections.abc import Iterator

import pytest

from tests.support.running_stack import stack_address


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """BASE_URL, or a stack of our own that is gone afterwards."""
    with stack_address() as url:
        yield url
