"""`make mutate`: tries each mutation in a copy; ends non-zero when one survives or is broken."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.mutate.mutation import Mutation, MutationError, read_mutations, select_mutations
from tests.mutate.workspace import Result, Workspace

JOBS = 2


def main(arguments: list[str] | None = None) -> int:
    """Run, print the verdicts, and return the exit code."""
    options = _read_options(arguments)
    try:
        mutations = select_mutations(read_mutations(), options.names)
        if options.list:
            print("\n".join(f"{one.name:32} {one.safeguard}" for one in mutations))
            return 0
        return asyncio.run(_run_until_told(mutations, options.jobs))
    except (MutationError, asyncio.CancelledError) as error:
        print(f"mutate: {str(error) or 'told to end'}", file=sys.stderr)
        return 2


def _read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutate ARGS=…", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutations to try, such as token-*; default: all")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"at once; default: {JOBS}")
    parser.add_argument("--list", action="store_true", help="print names and safeguards, run none")
    return parser.parse_args(arguments)


async def _run_until_told(mutations: Sequence[Mutation], jobs: int) -> int:
    """Run; SIGTERM ends it as Ctrl-C does, so that the servers of the tests go too."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cheershare-mutate-")))
            for _ in range(jobs)
        ]
        workspaces = [await asyncio.to_thread(Workspace, folder) for folder in folders]
        if not await _tests_pass(workspaces[0], mutations, jobs):
            return 1
        return await _try_all(workspaces, mutations)


async def _tests_pass(workspace: Workspace, mutations: Sequence[Mutation], jobs: int) -> bool:
    """Return whether every named test passes while nothing is mutated."""
    tests = sorted({test for one in mutations for test in one.tests})
    run = await workspace.run_tests(tests, "-n", str(jobs), "--dist", "worksteal")
    if run.exit_code == 0:
        print(f"unmutated: {run.passed} tests pass", flush=True)
        return True
    print(f"{run.output}\nunmutated: a named test fails or is missing", flush=True)
    return False


async def _try_all(workspaces: Sequence[Workspace], mutations: Sequence[Mutation]) -> int:
    waiting = list(reversed(mutations))
    verdicts: Counter[str] = Counter()

    async def work(workspace: Workspace) -> None:
        while waiting:
            mutation, began = waiting.pop(), time.monotonic()
            result = await workspace.try_mutation(mutation)
            verdicts[result.verdict] += 1
            print(_line(mutation, result, time.monotonic() - began), flush=True)

    async with asyncio.TaskGroup() as group:
        for workspace in workspaces:
            group.create_task(work(workspace))
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())))
    return 0 if set(verdicts) <= {"caught"} else 1


def _line(mutation: Mutation, result: Result, seconds: float) -> str:
    return f"{result.verdict:8} {mutation.name:32} {seconds:4.0f} s  {result.detail}"


if __name__ == "__main__":
    sys.exit(main())
