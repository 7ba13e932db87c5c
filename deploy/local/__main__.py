"""`python -m deploy.local [--port 8000] [--data var]`: run the embedded stack on one address."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

from deploy.local.data_dir import DataDir
from deploy.local.environment import EmbeddedServers
from deploy.local.server import ServerError
from deploy.local.stack import StackError, run_stack
from migrations.files import MigrationError
from shared.prctl import PR_SET_PDEATHSIG, prctl

LAST_PORT = 65535


def main() -> int:
    """Run the stack and return the exit code; an error is one message on stderr."""
    options = _parser().parse_args()
    if options.clean_data:
        return _clean_data(options.data)
    if options.end_with_parent:
        with contextlib.suppress(OSError):  # not Linux
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        asyncio.run(run_stack(options.port, options.data))
    except (StackError, ServerError, MigrationError, OSError, ValueError) as error:
        print(f"cheershare: {error}", file=sys.stderr)
        return 1
    return 0


def _clean_data(data: Path) -> int:
    """Delete a stack's data, wherever it is; refuse while the stack runs."""
    if not data.exists():
        print(f"cheershare: there is no {data}")
        return 0
    if not EmbeddedServers(DataDir(data)).delete_data():
        print(f"cheershare: {data} is in use by a running stack", file=sys.stderr)
        return 1
    shutil.rmtree(data)
    print(f"deleted {data}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT", "8000"))
    parser.add_argument("--data", type=Path, default=Path("var"))
    parser.add_argument("--clean-data", action="store_true", help="delete the data instead")
    parser.add_argument(  # the old name, for one release
        "--forget", action="store_true", dest="clean_data", help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--end-with-parent",
        action="store_true",
        help="end when the parent process ends, even by SIGKILL (Linux)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (1 to {LAST_PORT})")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
