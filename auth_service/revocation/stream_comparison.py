"""Finds the rows that were published and that Redis has lost."""

from typing import NamedTuple

from auth_service.revocation import repository
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.stream import RevocationStream, StreamState
from shared.db import Database

COMPARED_ROWS = 2000
COMPARED_DELETED_USERS = 100


class StreamComparison(NamedTuple):
    """Rows that were published, and the stream's state. `is_intact`: it needs no rebuild."""

    rows: list[StoredRevocation]
    state: StreamState
    is_intact: bool

    @property
    def missing_rows(self) -> list[StoredRevocation]:
        """The rows that the stream has lost."""
        return [row for row in self.rows if self.state.is_missing(row)]


async def compare_stream(database: Database, stream: RevocationStream) -> StreamComparison:
    """Compare the newest rows of one token life, and those of deleted users, with the stream.

    If even the oldest of them is missing, older rows may be missing too.
    """
    now = stream.clock.now()
    since = now - stream.token_life
    recent = await repository.published(database, since, COMPARED_ROWS, of_deleted_users=False)
    deleted = await repository.published(
        database, now, COMPARED_DELETED_USERS, of_deleted_users=True
    )
    state = await stream.read_state([*recent, *deleted])
    may_lack_more = any(
        len(rows) == limit and state.is_missing(rows[-1])
        for rows, limit in ((recent, COMPARED_ROWS), (deleted, COMPARED_DELETED_USERS))
    )
    return StreamComparison([*recent, *deleted], state, state.is_intact and not may_lack_more)
