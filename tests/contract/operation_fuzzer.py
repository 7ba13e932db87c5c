"""Fuzzes one documented operation with Schemathesis.

A module of its own, because its imports take two seconds: only the worker that fuzzes pays them.
The library's `parametrize` would also build the tests of all operations in every worker.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.checks import load_all_checks
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)

from tests.support.long_runs import amount

FUZZED = settings(
    max_examples=amount(5, 15),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
MODES = [HypothesisTestMode.EXAMPLES, HypothesisTestMode.FUZZING]
MODES += [HypothesisTestMode.COVERAGE] * amount(0, 1)


def fuzz_operation(
    document: Path, path: str, method: str, *, address: str, headers: Callable[[Any], Any]
) -> None:
    """Send random requests; in a long run also every boundary value that the document implies.

    `headers`: makes those of a case.
    """

    def call(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            base_url=address,
            headers=headers(case),
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
                checks.unsupported_method,
            ],
        )

    schema = _load(document)
    config = HypothesisTestConfig(project=schema.config, modes=MODES, explicit_settings=FUZZED)
    create_test(operation=schema[path][method], test_func=call, config=config)()


@cache
def _load(document: Path) -> Any:
    load_all_checks()
    return schemathesis.openapi.from_path(document)
