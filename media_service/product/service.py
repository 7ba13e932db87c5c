"""What users do with products: offer, see, search, change, withdraw."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import structlog

from media_service.idempotency.model import FirstAnswer, KeyUse, fingerprint
from media_service.idempotency.service import Turn, taking_turn
from media_service.product import repository
from media_service.product.model import Change, Offer, Product, StoredPhoto, new_product_id
from media_service.quota.service import count_upload, take_room
from media_service.upload.context import Intake
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound, ServiceUnavailable, VersionMismatch
from shared.if_match import IfMatch
from shared.paging import Position

ROUTE = "products"
log = structlog.get_logger()


def new_product(
    offer: Offer, user_id: UUID, clock: Clock, entropy: Entropy, photo_id: UUID | None = None
) -> Product:
    """Return what is offered, as it begins."""
    now = clock.now()
    return Product(
        id=new_product_id(entropy),
        user_id=user_id,
        photo_id=photo_id,
        created_at=now,
        updated_at=now,
        version=1,
        **asdict(offer),
    )


async def create(
    intake: Intake,
    offer: Offer,
    user_id: UUID,
    *,
    token: str,
    key: str | None,
    answer: Callable[[Product, bytes], FirstAnswer],
) -> FirstAnswer:
    """Return what the new product, which has no photo, is answered with; its row is durable.

    Raises:
        RequestInProgress, IdempotencyMismatch: the key is another request's.
        RateLimited: too many of the user's uploads today; this counts as one.
        TokenInvalid, TokenRevoked: the token, or the user, is no longer good.
    """
    name = new_id(intake.clock, intake.entropy)
    use = KeyUse(user_id, ROUTE, key, name) if key else None
    mark = fingerprint(asdict(offer), None)
    async with taking_turn(intake.database, use, intake.clock) as turn:
        if repeated := turn.first_answer(mark):
            return repeated
        product = new_product(offer, user_id, intake.clock, intake.entropy)
        await count_upload(intake.database, intake.allowance, user_id, product.created_at)
        return await commit(intake, token, turn, product, answer(product, mark))


async def commit(
    intake: Intake,
    token: str,
    turn: Turn,
    product: Product,
    first: FirstAnswer,
    *,
    stored: StoredPhoto | None = None,
) -> FirstAnswer:
    """Write the rows and their answer while the token and the room last.

    Raises:
        QuotaExceeded, TokenInvalid, TokenRevoked, RequestInProgress: nothing was written.
    """
    intake.authenticator.authenticate(token)
    async with intake.database.transaction() as connection:
        counted = stored.counted if stored else None
        await take_room(connection, product.user_id, counted, intake.allowance)
        if stored:
            await repository.insert_photo(connection, stored.photo)
        if not await repository.insert(connection, product):
            raise ServiceUnavailable(detail="The product's new id is taken; the next one will do")
        await turn.finish(connection, first)
    log.info("product.created", product_id=product.id)
    return first


async def list_products(
    database: Database, user_id: UUID, before: Position[str], limit: int
) -> list[Product]:
    """Return one page of the user's products, the newest first."""
    async with database.connection() as connection:
        return await repository.page(connection, user_id, before, limit)


async def search_products(
    database: Database, text: str | None, before: Position[str], limit: int
) -> list[Product]:
    """Return one page of everybody's visible products, the newest first."""
    async with database.connection() as connection:
        return await repository.public_page(connection, text, before, limit)


async def get_product(database: Database, product_id: str, viewer: UUID) -> Product:
    """Return a visible product, or the viewer's own.

    Raises:
        NotFound: there is none, or it is hidden and somebody else's.
    """
    async with database.connection() as connection:
        product = await repository.find(connection, product_id, viewer)
    if product is None:
        raise NotFound
    return product


async def change_product(
    database: Database,
    product_id: str,
    user_id: UUID,
    *,
    expected: IfMatch,
    wanted: Change,
    now: datetime,
) -> Product:
    """Return the user's product as it is after the change.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not a version that is expected.
    """
    async with database.connection() as connection:
        changed = await repository.change(
            connection, product_id, user_id, expected=expected, wanted=wanted, now=now
        )
        if changed is None:
            found = await repository.find(connection, product_id, user_id)
            raise VersionMismatch if found and found.user_id == user_id else NotFound
    log.info("product.changed", product_id=product_id, version=changed.version)
    return changed
