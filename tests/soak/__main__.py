"""`make soak`: mixed load for minutes or hours; ends non-zero on a leak, a refusal or a warning."""

import asyncio
import sys

from tests.bench.table import render
from tests.soak.judgement import is_clean
from tests.soak.options import read_options
from tests.soak.report import write_report
from tests.soak.run import soak
from tests.soak.stack import SoakError


def main(arguments: list[str] | None = None) -> int:
    """Run, print the verdicts, and return the exit code."""
    options = read_options(arguments)
    try:
        run = asyncio.run(soak(options))
    except SoakError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    write_report(run, options.out)
    print(f"\n{render(run.verdicts)}\n\nThe plot, the table and the samples are in {options.out}.")
    return 0 if is_clean(run.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
