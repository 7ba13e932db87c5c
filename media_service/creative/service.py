"""Use cases of stored creatives: list, read, link, delete."""

from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, CreativeFilter, Owner
from media_service.creative.signed_link import Link, LinkSigner, SignedLink
from media_service.picture.file_deleter import FileDeleter
from shared.db import Database
from shared.errors import Forbidden, NotFound, VersionMismatch
from shared.if_match import OwnVersion
from shared.tokens import Claims

EDITOR = "editor"
log = structlog.get_logger()


async def list_creatives(
    database: Database, caller: Claims, owner: Owner, selection: CreativeFilter
) -> list[Creative]:
    """Return one page of the caller's creatives, or of everybody's, by due time.

    Raises:
        Forbidden: a caller who is not an editor asks for everybody's.
    """
    owner_filter = _owner_filter(caller, owner)
    async with database.connection() as connection:
        return await repository.page(connection, owner_filter, selection)


async def get_creative(
    database: Database, creative_id: UUID, caller: Claims, owner: Owner
) -> Creative:
    """Return the caller's creative, or anybody's.

    Raises:
        Forbidden: a caller who is not an editor asks for anybody's.
        NotFound: there is none, or another user owns it.
    """
    return await _require_creative(database, creative_id, _owner_filter(caller, owner))


async def get_own_creative(database: Database, creative_id: UUID, user_id: UUID) -> Creative:
    """Return the user's creative.

    Raises:
        NotFound: there is none, or another user owns it.
    """
    return await _require_creative(database, creative_id, user_id)


async def get_creative_by_link(
    database: Database, link_signer: LinkSigner, signed: SignedLink, now: datetime
) -> Creative:
    """Return the creative of a link; any bearer of the link may read it.

    Raises:
        Forbidden: the link is invalid or has expired.
        NotFound: the creative was deleted.
    """
    link_signer.verify(signed, now)
    return await _require_creative(database, signed.link.creative_id, None)


async def sign_link(
    database: Database, link_signer: LinkSigner, user_id: UUID, link: Link
) -> SignedLink:
    """Return the link to one variant of the user's creative with our signature.

    Raises:
        NotFound: there is none, or another user owns it.
    """
    await get_own_creative(database, link.creative_id, user_id)
    return link_signer.sign(link)


async def delete_creative(
    database: Database, file_deleter: FileDeleter, target: OwnVersion[UUID]
) -> None:
    """Delete the user's creative: the row first, so that no row is ever without its files.

    The same statement queues its files; they are deleted in a moment, or when the store is back.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    async with database.connection() as connection:
        deleted = await repository.delete(connection, target)
        if deleted is None:
            found = await repository.find(connection, target.id, target.user_id)
            raise VersionMismatch if found else NotFound
    file_deleter.notify()
    log.info("creative.deleted", creative_id=str(target.id))


def _owner_filter(caller: Claims, owner: Owner) -> UUID | None:
    """Return the owner whose creatives the caller may see, None for all owners."""
    if owner == "me":
        return caller.sub
    if EDITOR not in caller.roles:
        raise Forbidden("only an editor sees everybody's creatives")
    return None


async def _require_creative(database: Database, creative_id: UUID, owner: UUID | None) -> Creative:
    async with database.connection() as connection:
        creative = await repository.find(connection, creative_id, owner)
    if creative is None:
        raise NotFound
    return creative
