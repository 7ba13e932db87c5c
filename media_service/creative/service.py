"""What a user does with creatives that are stored: list, see, link to, delete."""

from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, CreativeFilter, Owner
from media_service.creative.signed_link import Link, LinkSigner, SignedLink
from media_service.picture.file_deleter import FileDeleter
from shared.db import Database
from shared.errors import Forbidden, NotFound, VersionMismatch
from shared.if_match import IfMatch
from shared.tokens import Claims

EDITOR = "editor"
log = structlog.get_logger()


async def list_creatives(
    database: Database, caller: Claims, owner: Owner, wanted: CreativeFilter
) -> list[Creative]:
    """Return one page of the caller's creatives, or of everybody's, by due time.

    Raises:
        Forbidden: everybody's are asked for by somebody who is no editor.
    """
    owner_filter = _owner_filter(caller, owner)
    async with database.connection() as connection:
        return await repository.page(connection, owner_filter, wanted)


async def get_creative(
    database: Database, creative_id: UUID, caller: Claims, owner: Owner
) -> Creative:
    """Return the caller's creative, or anybody's.

    Raises:
        Forbidden: anybody's is asked for by somebody who is no editor.
        NotFound: there is none, or it is somebody else's.
    """
    return await _require(database, creative_id, _owner_filter(caller, owner))


async def get_own_creative(database: Database, creative_id: UUID, user_id: UUID) -> Creative:
    """Return the user's creative.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return await _require(database, creative_id, user_id)


async def get_creative_by_link(
    database: Database, link_signer: LinkSigner, signed: SignedLink, now: datetime
) -> Creative:
    """Return the creative that a link leads to, whoever has the link.

    Raises:
        Forbidden: the link is none of ours, or has expired.
        NotFound: the creative was deleted.
    """
    link_signer.require(signed, now)
    return await _require(database, signed.link.creative_id, None)


async def create_link(
    database: Database,
    link_signer: LinkSigner,
    creative_id: UUID,
    user_id: UUID,
    *,
    variant: str,
    seconds: int,
    now: datetime,
) -> SignedLink:
    """Return a link to one variant of the user's creative, good for that many seconds.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    creative = await get_own_creative(database, creative_id, user_id)
    return link_signer.sign(Link(creative.id, variant, int(now.timestamp()) + seconds))


async def delete_creative(
    database: Database,
    file_deleter: FileDeleter,
    creative_id: UUID,
    user_id: UUID,
    expected: IfMatch,
) -> None:
    """Remove the user's creative: the row first, so that no row is ever without its files.

    The files are noted with it and removed in a moment, or when the store is back.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not a version that is expected.
    """
    async with database.connection() as connection:
        removed = await repository.delete(connection, creative_id, user_id, expected)
        if removed is None:
            found = await repository.find(connection, creative_id, user_id)
            raise VersionMismatch if found else NotFound
    file_deleter.notify()
    log.info("creative.deleted", creative_id=str(creative_id))


def _owner_filter(caller: Claims, asked: Owner) -> UUID | None:
    """Return whose creatives the caller is to see, None for everybody's."""
    if asked == "me":
        return caller.sub
    if EDITOR not in caller.roles:
        raise Forbidden("only an editor sees everybody's creatives")
    return None


async def _require(database: Database, creative_id: UUID, owner: UUID | None) -> Creative:
    async with database.connection() as connection:
        creative = await repository.find(connection, creative_id, owner)
    if creative is None:
        raise NotFound
    return creative
