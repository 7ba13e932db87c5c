"""`python -m deploy.local.exec COMMAND ...`: run a command with a stack's databases and keys.

The databases are those of `make run`, whether it runs or not: what does not run is started for
the command's duration. `python` as the first word is this interpreter, `psql auth` (or `media`)
opens that database.
"""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from deploy.local.data_dir import Vault
from deploy.local.environment import Servers, service_environment
from deploy.local.postgres import binary
from deploy.local.server import ServerError


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.exec", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        with Servers(Vault(options.data)) as servers:
            asyncio.run(servers.prepare_logins())
            environment = {
                **service_environment("media", servers, ""),
                **service_environment("auth", servers, ""),  # last: its commands write to Redis
            }
            return subprocess.run(  # noqa: S603 -- the user's own command
                _words(options.command, environment), env=environment, check=False
            ).returncode
    except (ServerError, OSError, ValueError) as error:
        print(f"within: {error}", file=sys.stderr)
        return 1


def _words(command: list[str], environment: dict[str, str]) -> list[str]:
    match command:
        case ["python", *rest]:
            return [sys.executable, *rest]
        case ["psql", "auth" | "media" as database, *rest]:
            return [str(binary("psql")), environment[f"{database.upper()}_DATABASE_URL"], *rest]
        case ["psql", *_]:
            raise ValueError("database is auth or media")
        case []:
            raise ValueError("which command?")
    return command


if __name__ == "__main__":
    sys.exit(main())
