"""Makes the two databases with their roles where they are missing, then applies migrations.

`AUTH_DATABASE_URL` and `MEDIA_DATABASE_URL` name databases of somebody else, which are only
migrated; those that the `_FILE` variables name are ours, on the server `postgres`. With `--empty`
no migration is applied: a backup's tables are to come.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import quote

from deploy.databases import DATABASES, create_databases
from deploy.keys import password
from migrations.run import main as migrate


def main() -> int:
    """Do both and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.migrate")
    parser.add_argument("--empty", action="store_true", help="make the databases only")
    empty = parser.parse_args().empty
    ours = {
        name: password(Path(os.environ[f"{name.upper()}_DATABASE_URL_FILE"]))
        for name in DATABASES
        if not os.environ.get(f"{name.upper()}_DATABASE_URL")
    }
    if ours:
        asyncio.run(create_databases(_administrator(), ours, ours=True))
    return 0 if empty else migrate(["up"])


def _administrator() -> str:
    secret = Path(os.environ["POSTGRES_PASSWORD_FILE"]).read_text(encoding="utf-8")
    return f"postgresql://postgres:{quote(secret)}@postgres:5432/postgres?sslmode=disable"


if __name__ == "__main__":
    sys.exit(main())
