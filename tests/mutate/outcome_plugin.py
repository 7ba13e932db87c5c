"""A pytest plugin that records how each test ended, a line of JSON for each.

Only a failed assertion shows that a test checks the safeguard. An import error or a missing file
shows that the mutation is broken.
"""

import json
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

OUTCOMES = "MUTATE_OUTCOMES"
"""The environment variable that names the file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended. `asserted`: an assertion of the test itself failed."""

    test: str
    passed: bool
    asserted: bool = False
    error: str = ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed or (call.when == "call" and report.passed):
        error = call.excinfo.value if report.failed and call.excinfo else None
        outcome = Outcome(
            test=item.nodeid,
            passed=report.passed,
            asserted=call.when == "call" and error is not None and is_assertion(error),
            error=f"{type(error).__name__}: {error}"[:200] if error else "",
        )
        with Path(os.environ[OUTCOMES]).open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")
    return report


def is_assertion(error: BaseException) -> bool:
    """Return whether the error is a failed assertion, or a group of nothing else."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_assertion(one) for one in error.exceptions)
    return isinstance(error, (AssertionError, pytest.fail.Exception))
