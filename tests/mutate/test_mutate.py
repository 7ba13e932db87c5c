"""The mutations fit the code; and the runner tells a caught mutation from a broken one."""

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.mutate.mutation import (
    ROOT,
    Mutation,
    MutationError,
    read_mutations,
    select_mutations,
)
from tests.mutate.outcome_plugin import Outcome, is_assertion
from tests.mutate.workspace import PytestRun, judge

MUTATIONS = read_mutations()
FAILURE = Outcome("tests/x.py::test_x", passed=False, asserted=True, error="AssertionError: no")


@cache
def functions_in(path: str) -> set[str]:
    """Return the names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


def make_mutation(old: str) -> Mutation:
    return Mutation("one", "a safeguard", "code.py", old, "if False:", ())


def test_mutations_cover_at_least_thirty_safeguards() -> None:
    assert len({one.safeguard for one in MUTATIONS}) == len(MUTATIONS) >= 30


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_mutation_applies_and_names_tests_that_exist(mutation: Mutation) -> None:
    times = (ROOT / mutation.path).read_text().count(mutation.old)
    assert times == 1, f"{mutation.path} holds the old text {times} times"
    assert mutation.old != mutation.new
    assert mutation.tests
    for test in mutation.tests:
        path, _, name = test.partition("::")
        is_there = name in functions_in(path)
        assert is_there, f"{test} does not exist"


def test_mutation_old_text_missing_or_repeated_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("if limit:\nif count:\n")
    for old, times in (("if absent:", 0), ("if ", 2)):
        with (
            pytest.raises(MutationError, match=f"{times} times"),
            make_mutation(old).applied(tmp_path),
        ):
            pytest.fail("it does not fit")
    with make_mutation("if limit:").applied(tmp_path):
        assert file.read_text() == "if False:\nif count:\n"
    assert file.read_text() == "if limit:\nif count:\n"
    file.unlink()
    with (
        pytest.raises(MutationError, match="does not exist"),
        make_mutation("if limit:").applied(tmp_path),
    ):
        pytest.fail("there is nothing to change")


def test_selection_by_pattern_keeps_order_and_refuses_unknown_names() -> None:
    names = [one.name for one in select_mutations(MUTATIONS, ["token-*", "csrf-token"])]
    assert names[0] == "csrf-token"
    assert {"token-alg", "token-aud"} < set(names)
    assert select_mutations(MUTATIONS, []) == MUTATIONS
    with pytest.raises(MutationError, match="nonsense"):
        select_mutations(MUTATIONS, ["nonsense"])


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (PytestRun(1, 3, [FAILURE], ""), "caught"),
        (PytestRun(0, 4, [], ""), "SURVIVED"),
        (PytestRun(0, 0, [], "1 skipped"), "BROKEN"),
        (PytestRun(1, 0, [replace(FAILURE, asserted=False)], ""), "BROKEN"),
        (PytestRun(2, 0, [], "error during collection"), "BROKEN"),
        (PytestRun(4, 0, [], "no such test"), "BROKEN"),
        (PytestRun(5, 0, [], "nothing collected"), "BROKEN"),
        (PytestRun(None, 0, [], ""), "BROKEN"),
    ],
)
def test_verdict_needs_a_failed_assertion(run: PytestRun, verdict: str) -> None:
    assert judge(run).verdict == verdict


def test_assertion_error_is_distinguished_from_other_errors() -> None:
    failed = pytest.fail.Exception("it is accepted")
    assert is_assertion(AssertionError())
    assert is_assertion(BaseExceptionGroup("two", [AssertionError(), failed]))
    assert not is_assertion(KeyError("code"))
    assert not is_assertion(ExceptionGroup("two", [AssertionError(), TimeoutError()]))
