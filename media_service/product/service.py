"""Use cases of products: create, read, list, search, change."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import structlog

from media_service.idempotency.model import (
    IdempotencyKey,
    KeyedRequest,
    StoredResponse,
    hash_request,
)
from media_service.idempotency.service import IdempotentRequest, idempotency_guard
from media_service.product import repository
from media_service.product.model import (
    NewProduct,
    Product,
    ProductDetails,
    ProductUpdate,
    new_product_id,
)
from media_service.quota.service import count_upload_without_file, reserve_bytes
from media_service.upload.context import UploadContext
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound, ServiceUnavailable, VersionMismatch
from shared.if_match import OwnVersion
from shared.paging import Position

ROUTE = "products"
log = structlog.get_logger()


def new_product(
    details: ProductDetails,
    user_id: UUID,
    clock: Clock,
    entropy: Entropy,
    photo_id: UUID | None = None,
) -> Product:
    """Return a new product with these details."""
    now = clock.now()
    return Product(
        id=new_product_id(entropy),
        user_id=user_id,
        photo_id=photo_id,
        created_at=now,
        updated_at=now,
        version=1,
        **asdict(details),
    )


async def create_product(
    context: UploadContext,
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
    name = new_id(context.clock, context.entropy)
    user_id, key = creation.user_id, creation.key
    idempotency_key = IdempotencyKey(user_id, ROUTE, key, name) if key else None
    request_hash = hash_request(asdict(details), None)
    async with idempotency_guard(context.database, idempotency_key, context.clock) as request:
        if repeated := request.stored_response(request_hash):
            return repeated
        product = new_product(details, user_id, context.clock, context.entropy)
        await count_upload_without_file(
            context.database, context.quota, user_id, product.created_at
        )
        response = to_response(product, request_hash)
        return await store_product(context, creation.token, request, NewProduct(product), response)


async def store_product(
    context: UploadContext,
    token: str,
    request: IdempotentRequest,
    new: NewProduct,
    response: StoredResponse,
) -> StoredResponse:
    """Store the rows and the response if token and quota still allow it.

    Raises:
        QuotaExceeded, TokenInvalid, TokenRevoked, RequestInProgress: nothing was written.
    """
    context.authenticator.authenticate(token)
    product, stored = new.product, new.stored_photo
    async with context.database.transaction() as connection:
        usage = stored.usage if stored else None
        await reserve_bytes(connection, product.user_id, usage, context.quota)
        if stored:
            await repository.insert_photo(connection, stored.photo)
        if not await repository.insert(connection, product):
            raise ServiceUnavailable(detail="The product's new id is taken; the next one will do")
        await request.store_response(connection, response)
    log.info("product.created", product_id=product.id)
    return response


async def list_products(
    database: Database, user_id: UUID, position: Position[str], limit: int
) -> list[Product]:
    """Return one page of the user's products, the newest first."""
    async with database.connection() as connection:
        return await repository.page_of_user(connection, user_id, position, limit)


async def search_products(
    database: Database, text: str | None, position: Position[str], limit: int
) -> list[Product]:
    """Return one page of all visible products, the newest first."""
    async with database.connection() as connection:
        return await repository.page_of_public(connection, text, position, limit)


async def get_product(database: Database, product_id: str, viewer: UUID) -> Product:
    """Return a visible product, or the viewer's own.

    Raises:
        NotFound: there is none, or it is hidden and another user's.
    """
    async with database.connection() as connection:
        product = await repository.find(connection, product_id, viewer)
    if product is None:
        raise NotFound
    return product


async def update_product(
    database: Database,
    target: OwnVersion[str],
    update: ProductUpdate,
    now: datetime,
) -> Product:
    """Return the user's product as it is after the change.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    async with database.connection() as connection:
        changed = await repository.update(connection, target, update, now)
        if changed is None:
            found = await repository.find(connection, target.id, target.user_id)
            raise VersionMismatch if found and found.user_id == target.user_id else NotFound
    log.info("product.changed", product_id=target.id, version=changed.version)
    return changed
