"""The lock of the webhooks' owner, who has no row."""

from shared.db import Connection

LOCK = 7_081_530_266  # any constant; one administrator at a time creates a webhook


async def lock_owner(connection: Connection) -> None:
    """Let no other transaction create a webhook until this one ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
