"""Create the two databases with their roles if they are missing, then apply migrations.

`AUTH_DATABASE_URL` and `MEDIA_DATABASE_URL` name external databases, which are only migrated. The
`_FILE` variables name the stack's own, on the server `postgres`. `--empty` applies no migration,
because a backup will bring the tables.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import quote

from deploy.databases import DATABASES, create_databases
from deploy.keys import password_in
from migrations.run import main as migrate


def main() -> int:
    """Create and migrate the databases, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.migrate")
    parser.add_argument("--empty", action="store_true", help="create the databases only")
    empty = parser.parse_args().empty
    own_passwords = {
        name: password_in(Path(os.environ[f"{name.upper()}_DATABASE_URL_FILE"]))
        for name in DATABASES
        if not os.environ.get(f"{name.upper()}_DATABASE_URL")
    }
    if own_passwords:
        secret = quote(Path(os.environ["POSTGRES_PASSWORD_FILE"]).read_text(encoding="utf-8"))
        administrator = f"postgresql://postgres:{secret}@postgres:5432/postgres?sslmode=disable"
        asyncio.run(create_databases(administrator, own_passwords, close_all=True))
    return 0 if empty else migrate(["up"])


if __name__ == "__main__":
    sys.exit(main())
