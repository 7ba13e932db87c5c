"""Use cases of products and their photos."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from uuid import UUID

import structlog

from media_service.event.recorder import EventRecorder
from media_service.idempotency.model import KeyedRequest, StoredResponse, hash_request
from media_service.idempotency.service import idempotency_guard
from media_service.picture.file_deleter import FileDeleter
from media_service.picture.model import PictureRecord
from media_service.product import repository
from media_service.product.model import (
    Product,
    ProductDetails,
    ProductDraft,
    ProductUpdate,
    new_product_id,
)
from media_service.product.response import product_fields
from media_service.product.search_text import search_terms
from media_service.quota.repository import read_picture_bytes
from media_service.quota.service import count_upload_without_file, reserve_bytes
from media_service.upload.service import PendingUpload, UploadService
from shared.db import Connection, Database, Executor
from shared.entropy import new_id
from shared.errors import DomainError, NotFound, ServiceUnavailable, VersionMismatch
from shared.if_match import OwnVersion
from shared.paging import Position

ROUTE = "products"
FOLD_BATCH = 100
FOLD_PAUSE_SECONDS = 0.02
FOLD_SECONDS = 60
log = structlog.get_logger()


async def create_product(
    uploads: UploadService,
    details: ProductDetails,
    creation: KeyedRequest,
    to_response: Callable[[Product, bytes], StoredResponse],
) -> StoredResponse:
    """Create a product without a photo; return the response to its first request.

    Raises:
        RequestInProgress, IdempotencyMismatch: the key belongs to another request.
        RateLimited: too many of the user's uploads today; this counts as one.
        TokenInvalid, TokenRevoked: the token or the user is no longer valid.
    """
    key = creation.idempotency_key(ROUTE, new_id(uploads.clock, uploads.entropy))
    request_hash = hash_request(asdict(details), None)
    async with idempotency_guard(uploads.database, key, uploads.clock) as request:
        if repeated := request.stored_response(request_hash):
            return repeated
        product = _new_product(uploads, details, creation.user_id)
        await count_upload_without_file(
            uploads.database, uploads.quota, product.user_id, product.created_at
        )
        response = to_response(product, request_hash)
        async with uploads.transaction(creation.token) as connection:
            await reserve_bytes(connection, product.user_id, None, uploads.quota)
            await _insert(connection, product, uploads.events)
            await request.store_response(connection, response)
    log.info("product.created", product_id=product.id)
    return response


async def create_product_with_photo(
    uploads: UploadService,
    upload: PendingUpload[ProductDraft],
    to_response: Callable[[Product, bytes], StoredResponse],
) -> StoredResponse:
    """Create the product that the form describes; return the response to its first request.

    Files are stored before rows, as for creatives. A replay gets the first response.

    Raises:
        The same as `media_service.creative.service.create_creative`, except for the schedule.
    """
    async with uploads.receive(upload, ROUTE, at_least=0) as received:
        draft = received.draft
        has_photo = draft.photo_file_name is not None
        request_hash = await received.hash(asdict(draft.details), with_file=has_photo)
        if repeated := received.request.stored_response(request_hash):
            return repeated
        photo = (
            None
            if draft.photo_file_name is None
            else await uploads.store(received, draft.photo_file_name)
        )
        photo_id = photo.record.id if photo else None
        product = _new_product(uploads, draft.details, upload.user_id, photo_id)
        response = to_response(product, request_hash)
        async with uploads.transaction(upload.token, photo) as connection:
            usage = photo.usage if photo else None
            await reserve_bytes(connection, product.user_id, usage, uploads.quota)
            if photo:
                await repository.insert_photo(connection, photo.record)
            await _insert(connection, product, uploads.events)
            await received.request.store_response(connection, response)
    log.info("product.created", product_id=product.id)
    return response


async def list_products(
    database: Database, user_id: UUID, position: Position[str], limit: int
) -> list[Product]:
    """Return one page of the user's products, the newest first."""
    return await repository.page_of_user(database, user_id, position, limit)


async def search_products(
    database: Database, text: str | None, position: Position[str], limit: int
) -> list[Product]:
    """Return one page of all visible products, the newest first."""
    terms = None if text is None else search_terms(text)
    if text is not None and terms is None:
        return []
    return await repository.page_of_public(database, terms, position, limit)


async def fold_products(database: Database) -> None:
    """Let a search find products that the release before wrote, a few at a time."""
    rows = FOLD_BATCH
    while rows == FOLD_BATCH:
        async with database.transaction() as connection:
            rows = await repository.fold_batch(connection, FOLD_BATCH)
        await asyncio.sleep(FOLD_PAUSE_SECONDS)


async def get_product(database: Database, product_id: str, viewer: UUID) -> Product:
    """Return a visible product, or the viewer's own.

    Raises:
        NotFound: there is none, or it is hidden and another user's.
    """
    product = await repository.find(database, product_id, viewer)
    if product is None:
        raise NotFound
    return product


async def update_product(
    database: Database,
    events: EventRecorder,
    target: OwnVersion[str],
    update: ProductUpdate,
) -> Product:
    """Return the user's product as it is after the change.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    async with database.transaction() as connection:
        changed = await repository.update(connection, target, update, events.clock.now())
        if changed is None:
            raise await _refusal(connection, target)
        if update.name is not None or update.description is not None:
            await repository.fold(connection, changed.id, changed.name, changed.description)
        await _record_update(connection, changed, events)
    log.info("product.changed", product_id=target.id, version=changed.version)
    return changed


async def replace_photo(
    uploads: UploadService, upload: PendingUpload[str], product_id: str, file_deleter: FileDeleter
) -> Product:
    """Return the user's product with its new photo; the files of the old one are deleted.

    Raises:
        NotFound: there is no such product, or another user owns it.
        The same as `create_product_with_photo` otherwise.
    """
    freed = await _current_photo_bytes(uploads.database, product_id, upload.user_id)
    unkeyed = replace(upload, key=None)
    async with uploads.receive(unkeyed, ROUTE, at_least=0, freed=freed) as received:
        photo = await uploads.store(received, received.draft)
        async with uploads.transaction(upload.token, photo) as connection:
            # The old photo's bytes are released before the new one's are reserved.
            if not await repository.detach_photo(connection, product_id, upload.user_id):
                raise NotFound
            await reserve_bytes(connection, upload.user_id, photo.usage, uploads.quota)
            product = await repository.attach_photo(connection, product_id, photo.record)
            await _record_update(connection, product, uploads.events)
    file_deleter.notify()
    log.info("product.photo_replaced", product_id=product_id)
    return product


async def get_photo(database: Database, product_id: str, viewer: UUID | None) -> PictureRecord:
    """Return the photo of a visible product, or of one of the viewer's own.

    Raises:
        NotFound: there is none, or its product is hidden and another user's.
    """
    found = await repository.find_photo(database, product_id, viewer)
    if found is None:
        raise NotFound
    return found


async def delete_product(
    database: Database, events: EventRecorder, file_deleter: FileDeleter, target: OwnVersion[str]
) -> None:
    """Delete the user's product, and queue its photo's files for deletion.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    async with database.transaction() as connection:
        deleted = await repository.delete(connection, target)
        if deleted is None:
            raise await _refusal(connection, target)
        fields = product_fields(deleted)
        await events.record(connection, deleted.user_id, "product.deleted", fields)
    file_deleter.notify()
    log.info("product.deleted", product_id=target.id)


async def _current_photo_bytes(database: Database, product_id: str, user_id: UUID) -> int:
    """Return the bytes of the current photo of the user's own product, 0 without one."""
    product = await get_product(database, product_id, user_id)
    if product.user_id != user_id:
        raise NotFound
    photo = await repository.find_photo(database, product_id, user_id)
    if photo is None:
        return 0
    return (await read_picture_bytes(database, [photo.id])).get(photo.id, photo.size)


def _new_product(
    uploads: UploadService, details: ProductDetails, user_id: UUID, photo_id: UUID | None = None
) -> Product:
    now = uploads.clock.now()
    return Product(
        **asdict(details),
        id=new_product_id(uploads.entropy),
        user_id=user_id,
        photo_id=photo_id,
        created_at=now,
        updated_at=now,
        version=1,
    )


async def _insert(connection: Connection, product: Product, events: EventRecorder) -> None:
    if not await repository.insert(connection, product):
        raise ServiceUnavailable(detail="The product's new id is taken; the next one will do")
    await events.record(connection, product.user_id, "product.created", product_fields(product))


async def _record_update(connection: Connection, product: Product, events: EventRecorder) -> None:
    await events.record(connection, product.user_id, "product.updated", product_fields(product))


async def _refusal(executor: Executor, target: OwnVersion[str]) -> DomainError:
    """Return why the user's product was not changed: its version, or that there is none."""
    found = await repository.find(executor, target.id, target.user_id)
    if found is None or found.user_id != target.user_id:
        return NotFound()
    return VersionMismatch(found.version)
