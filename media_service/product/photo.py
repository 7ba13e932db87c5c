"""Products' photos: uploaded, replaced, read."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import structlog

from media_service.idempotency.model import StoredResponse, hash_request
from media_service.picture.file_deleter import FileDeleter
from media_service.product import repository
from media_service.product.model import NewProduct, Photo, Product, ProductDraft, StoredPhoto
from media_service.product.service import ROUTE, get_product, new_product, store_product
from media_service.quota.model import PictureUsage
from media_service.quota.repository import read_picture_bytes
from media_service.quota.service import reserve_bytes
from media_service.storage.model import TempFile
from media_service.upload.context import UploadContext, discard_on_refusal, upload_guard
from media_service.upload.pending_upload import PendingUpload
from media_service.upload.pipeline import digest_if_keyed, picture_record, render, storage_paths
from shared.db import Database
from shared.entropy import new_id
from shared.errors import NotFound, VersionMismatch
from shared.if_match import OwnVersion

log = structlog.get_logger()


async def create_product_with_photo(
    context: UploadContext,
    upload: PendingUpload[ProductDraft],
    to_response: Callable[[Product, bytes], StoredResponse],
) -> StoredResponse:
    """Create the product that the form describes; return the response to its first request.

    Files are stored before rows, as for creatives. A replay gets the first response.

    Raises:
        The same as `media_service.creative.create.create_creative`, except for the schedule.
    """
    context.images.require_capacity(upload.user_id)
    async with (
        upload_guard(context, ROUTE, upload, at_least=0) as request,
        context.storage.create_temp_file() as temp_file,
    ):
        draft = await upload.read(temp_file)
        digest = await digest_if_keyed(upload, temp_file)
        request_hash = hash_request(asdict(draft.details), None if draft.photo is None else digest)
        if repeated := request.stored_response(request_hash):
            return repeated
        stored = (
            None
            if draft.photo is None
            else await _store_photo(context, temp_file, upload, draft.photo)
        )
        photo_id = stored.photo.id if stored else None
        product = new_product(
            draft.details, upload.user_id, context.clock, context.entropy, photo_id
        )
        async with discard_on_refusal(
            context.storage, stored.photo.object_keys() if stored else []
        ):
            response = to_response(product, request_hash)
            return await store_product(
                context, upload.token, request, NewProduct(product, stored), response
            )


async def replace_photo(
    context: UploadContext, upload: PendingUpload[str], product_id: str, file_deleter: FileDeleter
) -> Product:
    """Return the user's product with its new photo; the files of the old one are deleted.

    Raises:
        NotFound: there is no such product, or another user owns it.
        The same as `create_product_with_photo` otherwise.
    """
    freed = await _current_photo_bytes(context.database, product_id, upload.user_id)
    context.images.require_capacity(upload.user_id)
    unkeyed = replace(upload, key=None)
    async with (
        upload_guard(context, ROUTE, unkeyed, at_least=0, freed=freed),
        context.storage.create_temp_file() as temp_file,
    ):
        stored = await _store_photo(context, temp_file, upload, await upload.read(temp_file))
        async with discard_on_refusal(context.storage, stored.photo.object_keys()):
            product = await _replace_row(context, upload.token, product_id, stored)
    file_deleter.notify()
    log.info("product.photo_replaced", product_id=product_id)
    return product


async def get_photo(database: Database, product_id: str, viewer: UUID | None) -> Photo:
    """Return the photo of a visible product, or of one of the viewer's own.

    Raises:
        NotFound: there is none, or its product is hidden and another user's.
    """
    async with database.connection() as connection:
        found = await repository.find_photo(connection, product_id, viewer)
    if found is None:
        raise NotFound
    return found


async def delete_product(
    database: Database, file_deleter: FileDeleter, target: OwnVersion[str]
) -> None:
    """Delete the user's product, and queue its photo's files for deletion.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    async with database.transaction() as connection:
        if not await repository.delete(connection, target):
            found = await repository.find(connection, target.id, target.user_id)
            raise VersionMismatch if found and found.user_id == target.user_id else NotFound
    file_deleter.notify()
    log.info("product.deleted", product_id=target.id)


async def _current_photo_bytes(database: Database, product_id: str, user_id: UUID) -> int:
    """Return the bytes of the current photo of the user's own product, 0 without one."""
    product = await get_product(database, product_id, user_id)
    if product.user_id != user_id:
        raise NotFound
    async with database.connection() as connection:
        photo = await repository.find_photo(connection, product_id, user_id)
        if photo is None:
            return 0
        return (await read_picture_bytes(connection, [photo.id])).get(photo.id, photo.size)


async def _replace_row(
    context: UploadContext, token: str, product_id: str, stored: StoredPhoto
) -> Product:
    """Replace the row: the old photo's bytes are released before the new one's are reserved."""
    context.authenticator.authenticate(token)
    photo = stored.photo
    async with context.database.transaction() as connection:
        if not await repository.detach_photo(connection, product_id, photo.user_id):
            raise NotFound
        await reserve_bytes(connection, photo.user_id, stored.usage, context.quota)
        return await repository.attach_photo(connection, product_id, photo)


async def _store_photo(
    context: UploadContext, temp_file: TempFile, upload: PendingUpload[Any], name: str
) -> StoredPhoto:
    info = await render(context.images, temp_file, upload)
    new, now = new_id(context.clock, context.entropy), context.clock.now()
    photo = Photo(**asdict(picture_record(info, new, upload.user_id, name=name, now=now)))
    await context.storage.put(storage_paths(info, temp_file, photo.object_key))
    return StoredPhoto(photo, PictureUsage(photo.id, info.stored_bytes))
