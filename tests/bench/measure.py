"""Runs the rows one after another; one that fails costs no other its figures."""

import sys
import traceback

from deploy.local.server import ServerError
from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.rows import BY_NAME_ALONE, ROWS
from tests.bench.table import Figure, failed

TOLD = (BenchError, ServerError, OSError)  # their message says it all


async def measure(bench: Bench) -> list[Figure]:
    """Return every row's figures, or one that says why there are none."""
    figures: list[Figure] = []
    for name in bench.options.rows or [one for one in ROWS if one not in BY_NAME_ALONE]:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            figures += await ROWS[name](bench)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, it is this row's alone
            figures.append(failed(name, tell(name, wrong)))
    return figures


def tell(name: str, wrong: BaseException) -> str:
    """Say on standard error what went wrong in the row; return it in one line."""
    cause = first(wrong)
    print(f"bench: {name}: {cause!s}", file=sys.stderr)
    if not isinstance(cause, TOLD):
        traceback.print_exception(wrong)
    return next(iter(str(cause).splitlines()), type(cause).__name__)


def first(wrong: BaseException) -> BaseException:
    """Return the first of a group of exceptions, or the one that is given."""
    return first(wrong.exceptions[0]) if isinstance(wrong, BaseExceptionGroup) else wrong
