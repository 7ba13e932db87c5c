"""A copy of the checkout, in which one mutation at a time is tried."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutate.mutation import ROOT, Mutation, MutationError
from tests.mutate.outcome_plugin import OUTCOMES, Outcome

TIME_LIMIT_SECONDS = 300
"""For one mutation; pytest then gets some time to stop its servers."""
STOP_SECONDS = 30
TESTS_FAILED = 1
Verdict = Literal["caught", "SURVIVED", "BROKEN"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutation; `detail` names the test that caught it, or says what is wrong."""

    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class PytestRun:
    """How pytest ended: its exit code, None when it took too long; failures in order."""

    exit_code: int | None
    passed: int
    failures: Sequence[Outcome]
    output: str


class Workspace:
    """A copy of the checkout's files, uncommitted changes included. The checkout stays as it is."""

    def __init__(self, folder: Path) -> None:
        """Copy the files that git tracks or would track."""
        self._root = folder / "checkout"
        self._outcomes = folder / "outcomes"
        for name in _list_files():
            if (ROOT / name).is_file():
                (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self._root / name)

    async def try_mutation(self, mutation: Mutation) -> Result:
        """Apply the mutation, run its tests, and take it back."""
        try:
            with mutation.applied(self._root):
                run = await self.run_tests(
                    mutation.tests, "-n", "0", "-x", limit=TIME_LIMIT_SECONDS
                )
        except MutationError as wrong:
            return Result("BROKEN", str(wrong))
        return judge(run)

    async def run_tests(
        self, tests: Sequence[str], *options: str, limit: float | None = None
    ) -> PytestRun:
        """Run the tests in the copy, in a session of their own."""
        self._outcomes.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"),
            *("-p", "tests.mutate.outcome_plugin", *options, *tests),
            cwd=self._root,
            env=os.environ | {OUTCOMES: str(self._outcomes), "PYTHONPATH": str(self._root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limit):
                output, _ = await process.communicate()
            exit_code = process.returncode
        except TimeoutError:
            output, exit_code = b"", None
        finally:
            await _stop(process)
        outcomes = self._read_outcomes()
        failures = [one for one in outcomes if not one.passed]
        return PytestRun(exit_code, len(outcomes) - len(failures), failures, output.decode())

    def _read_outcomes(self) -> list[Outcome]:
        if not self._outcomes.exists():
            return []
        return [Outcome(**json.loads(line)) for line in self._outcomes.read_text().splitlines()]


def judge(run: PytestRun) -> Result:
    """Return the verdict: only a failed assertion of a named test catches a mutation."""
    if run.exit_code is None:
        return Result("BROKEN", "the tests took too long")
    if run.exit_code == 0 and run.passed:
        return Result("SURVIVED", "every named test passes")
    if run.exit_code != TESTS_FAILED or not run.failures:
        return Result("BROKEN", f"no test ran: {run.output.strip()[-500:]}")
    first = run.failures[0]
    if not first.asserted:
        return Result("BROKEN", f"{first.test} failed for another reason: {first.error}")
    return Result("caught", f"by {first.test}")


def _list_files() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name]


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End pytest as Ctrl-C does, so that it stops its servers; then whatever is left."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.communicate()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
