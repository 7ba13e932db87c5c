"""`python -m auth_service purge`: what `serve` does each hour, once and now."""

import sys

from auth_service.audit.service import AuditLog
from auth_service.purge.service import Purge
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import open_database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.logs import describe_error


async def run_purge(settings: AuthSettings, clock: Clock, entropy: Entropy) -> int:
    """Remove what has ended and say how much; returns the exit status."""
    async with open_database(settings.auth_database_url.get_secret_value()) as database:
        try:
            removed = await Purge(database, AuditLog(database, clock, entropy), clock).run()
        except ServiceUnavailable as away:
            sys.stderr.write(f"purge: {describe_error(away)}\n")
            return 1
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in removed.items()) + "\n")
    return 0
