"""Pictures whose files were lost outside of the service: an operator lists and deletes them."""

import sys
from uuid import UUID

from media_service.erasure import repository
from media_service.event.recorder import EventRecorder
from media_service.picture.reconcile import LostPicture, find_lost_pictures
from media_service.product import repository as products
from media_service.product.response import product_fields
from media_service.storage.model import Storage
from shared.db import Database


async def list_lost_pictures(database: Database, storage: Storage) -> int:
    """List the pictures that lost a file; return 1 when there are any, else 0."""
    code = 0
    async for lost in find_lost_pictures(database, storage):
        sys.stdout.write(f"{_describe(lost)}\n")
        code = 1
    return code


async def delete_lost_pictures(
    database: Database, storage: Storage, events: EventRecorder, chosen: set[UUID]
) -> int:
    """Delete the chosen pictures that lost a file; return 1 when one of them stays, else 0."""
    async for lost in find_lost_pictures(database, storage):
        if lost.picture.id in chosen:
            await _delete_picture(database, events, lost.picture.id)
            chosen.discard(lost.picture.id)
            sys.stdout.write(f"deleted: {_describe(lost)}\n")
    for picture_id in sorted(chosen):
        sys.stdout.write(f"kept: {picture_id} has lost no file, or there is no such picture\n")
    return 1 if chosen else 0


async def _delete_picture(database: Database, events: EventRecorder, picture_id: UUID) -> None:
    """Delete a creative, or the photo of a product, which stays without one."""
    async with database.transaction() as connection:
        product = await products.detach_lost_photo(connection, picture_id)
        if product:
            fields = product_fields(product)
            await events.record(connection, product.user_id, "product.updated", fields)
        await repository.delete_picture(connection, picture_id)


def _describe(lost: LostPicture) -> str:
    files = ", ".join(key.variant for key in lost.keys)
    return f"{lost.picture.id} of user {lost.picture.user_id} lacks {files}"
