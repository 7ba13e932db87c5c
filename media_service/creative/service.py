"""What a user does with creatives that are stored: list, see, delete."""

from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, Selection
from media_service.picture.removal import Remover
from shared.db import Database
from shared.errors import NotFound, VersionMismatch
from shared.precondition import Expected

log = structlog.get_logger()


async def list_creatives(
    database: Database, owner: UUID | None, wanted: Selection
) -> list[Creative]:
    """Return one page of the owner's creatives, or of everybody's without one, by due time."""
    async with database.connection() as connection:
        return await repository.page(connection, owner, wanted)


async def get_creative(database: Database, creative_id: UUID, owner: UUID | None) -> Creative:
    """Return the owner's creative, or anybody's without one.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with database.connection() as connection:
        creative = await repository.find(connection, creative_id, owner)
    if creative is None:
        raise NotFound
    return creative


async def delete_creative(
    database: Database,
    remover: Remover,
    creative_id: UUID,
    user_id: UUID,
    expected: Expected,
) -> None:
    """Remove the user's creative: the row first, so that no row is ever without its files.

    The files are noted with it and removed in a moment, or when the store is back.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not a version that is expected.
    """
    async with database.connection() as connection:
        removed = await repository.remove(connection, creative_id, user_id, expected)
        if removed is None:
            found = await repository.find(connection, creative_id, user_id)
            raise VersionMismatch if found else NotFound
    remover.wake()
    log.info("creative.deleted", creative_id=str(creative_id))
