"""`python -m auth_service purge`: the hourly purge of `serve`, once and now."""

import sys

from auth_service.purge.service import PurgeService
from shared.errors import ServiceUnavailable
from shared.logs import describe_error


async def purge_now(purge: PurgeService) -> int:
    """Remove expired rows and print how many; return the exit status."""
    try:
        removed = await purge.run()
    except ServiceUnavailable as away:
        sys.stderr.write(f"purge: {describe_error(away)}\n")
        return 1
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in removed.items()) + "\n")
    return 0
