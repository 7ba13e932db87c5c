"""`python -m deploy.local.exec COMMAND ...`: run a command with the databases and keys of a stack.

The databases are those of `make run`. Servers that do not run are started and stop with the
command. `python` as the first word is this interpreter. `psql auth` (or `media`) opens that
database.
"""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from deploy.local.data_dir import DataDir
from deploy.local.environment import EmbeddedServers, service_environment
from deploy.local.postgres import program_path
from deploy.local.server import ServerError


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.exec", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        with EmbeddedServers(DataDir(options.data)) as servers:
            asyncio.run(servers.create_missing_databases())
            environment = {
                **service_environment("media", servers, ""),
                # last, so that REDIS_URL names the user who may write
                **service_environment("auth", servers, ""),
            }
            return subprocess.run(  # noqa: S603 -- the user's command
                _resolve_command(options.command, environment), env=environment, check=False
            ).returncode
    except (ServerError, OSError, ValueError) as error:
        print(f"exec: {error}", file=sys.stderr)
        return 1


def _resolve_command(command: list[str], environment: dict[str, str]) -> list[str]:
    match command:
        case ["python", *rest]:
            return [sys.executable, *rest]
        case ["psql", "auth" | "media" as database, *rest]:
            url = environment[f"{database.upper()}_DATABASE_URL"]
            return [str(program_path("psql")), url, *rest]
        case ["psql", *_]:
            raise ValueError("database is auth or media")
        case []:
            raise ValueError("which command?")
    return command


if __name__ == "__main__":
    sys.exit(main())
