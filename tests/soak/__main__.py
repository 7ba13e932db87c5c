"""`make soak`: mixed load for minutes or hours; ends non-zero on a leak, a refusal or a warning."""

import asyncio
import signal
import sys

from tests.bench.table import render
from tests.soak.judgement import is_clean
from tests.soak.options import Options, read_options
from tests.soak.report import Run, write_report
from tests.soak.run import soak
from tests.soak.stack import SoakError


def main(arguments: list[str] | None = None) -> int:
    """Run, print the verdicts, and return the exit code."""
    options = read_options(arguments)
    try:
        run = asyncio.run(_soak_until_told(options))
    except (SoakError, asyncio.CancelledError) as error:
        print(f"soak: {str(error) or 'told to end'}", file=sys.stderr)
        return 2
    write_report(run, options.out)
    print(f"\n{render(run.verdicts)}\n\nThe plot, the table and the samples are in {options.out}.")
    return 0 if is_clean(run.verdicts) else 1


async def _soak_until_told(options: Options) -> Run:
    """Run; SIGTERM ends it as Ctrl-C does, so that the stack and its data go too."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await soak(options)


if __name__ == "__main__":
    sys.exit(main())
