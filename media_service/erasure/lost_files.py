"""Pictures whose files were lost outside of the service: an operator lists and deletes them."""

import sys
from uuid import UUID

from media_service.erasure import repository
from media_service.picture.reconcile import LostPicture, find_lost_pictures
from media_service.storage.model import Storage
from shared.db import Database


async def list_lost_pictures(database: Database, storage: Storage) -> int:
    """List the pictures that lost a file; return 1 when there are any, else 0."""
    code = 0
    async for lost in find_lost_pictures(database, storage):
        sys.stdout.write(f"{_describe(lost)}\n")
        code = 1
    return code


async def delete_lost_pictures(database: Database, storage: Storage, chosen: set[UUID]) -> int:
    """Delete the chosen pictures that lost a file; return 1 when one of them stays, else 0."""
    async for lost in find_lost_pictures(database, storage):
        if lost.picture.id in chosen:
            await repository.delete_picture(database, lost.picture.id)
            chosen.discard(lost.picture.id)
            sys.stdout.write(f"deleted: {_describe(lost)}\n")
    for picture_id in sorted(chosen):
        sys.stdout.write(f"kept: {picture_id} has lost no file, or there is no such picture\n")
    return 1 if chosen else 0


def _describe(lost: LostPicture) -> str:
    files = ", ".join(key.variant for key in lost.keys)
    return f"{lost.picture.id} of user {lost.picture.user_id} lacks {files}"
