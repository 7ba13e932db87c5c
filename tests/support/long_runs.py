"""How long a randomised or repeated test runs: shortly in `make test`, at length in CI.

Such a test bears `pytest.mark.long`, by which `make test-long` finds it.
"""

import os

VARIABLE = "LONG_TESTS"


def amount(short: int, long: int) -> int:
    """Return `long` under `make test-long`, else `short`."""
    return long if os.environ.get(VARIABLE) else short
