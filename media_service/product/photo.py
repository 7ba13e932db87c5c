"""Products' photos: taken in like creatives, replaced, read."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import structlog

from media_service.idempotency.model import FirstAnswer, fingerprint
from media_service.picture.file_deleter import Remover
from media_service.product import repository
from media_service.product.model import Draft, Photo, Product, StoredPhoto
from media_service.product.service import ROUTE, commit, get_product, new_product
from media_service.quota.model import CountedPicture
from media_service.quota.repository import read_counted
from media_service.quota.service import take_room
from media_service.storage.model import StagedFile
from media_service.upload.context import Intake, discarding, upload_turn
from media_service.upload.pending_upload import Arrival
from media_service.upload.pipeline import described, places, render, told_by
from shared.db import Database
from shared.entropy import new_id
from shared.errors import NotFound, VersionMismatch
from shared.if_match import IfMatch

log = structlog.get_logger()


async def create_with_photo(
    intake: Intake, arrival: Arrival[Draft], answer: Callable[[Product, bytes], FirstAnswer]
) -> FirstAnswer:
    """Return what the product that the form describes is answered with; all of it is durable.

    Files come before rows, as with creatives. A repeated request gets the first one's answer.

    Raises:
        The same as `media_service.upload.service.take_in`, but for the schedule.
    """
    intake.images.require_room(arrival.user_id)
    async with (
        upload_turn(intake, ROUTE, arrival, least=0) as turn,
        intake.storage.stage() as staged,
    ):
        draft = await arrival.read(staged)
        digest = await told_by(arrival, staged)
        mark = fingerprint(asdict(draft.offer), None if draft.photo is None else digest)
        if repeated := turn.first_answer(mark):
            return repeated
        stored = None if draft.photo is None else await _keep(intake, staged, arrival, draft.photo)
        photo_id = stored.photo.id if stored else None
        product = new_product(draft.offer, arrival.user_id, intake.clock, intake.entropy, photo_id)
        async with discarding(intake.storage, stored.photo.files() if stored else []):
            first = answer(product, mark)
            return await commit(intake, arrival.token, turn, product, first, stored=stored)


async def put_photo(
    intake: Intake, arrival: Arrival[str], product_id: str, remover: Remover
) -> Product:
    """Return the user's product with its new photo; the old one's files are let go of.

    Raises:
        NotFound: there is no such product, or it is somebody else's.
        The same as `create_with_photo` otherwise.
    """
    freed = await _read_stored_bytes(intake.database, product_id, arrival.user_id)
    intake.images.require_room(arrival.user_id)
    unkeyed = replace(arrival, key=None)
    async with (
        upload_turn(intake, ROUTE, unkeyed, least=0, freed=freed),
        intake.storage.stage() as staged,
    ):
        stored = await _keep(intake, staged, arrival, await arrival.read(staged))
        async with discarding(intake.storage, stored.photo.files()):
            product = await _replace(intake, arrival.token, product_id, stored)
    remover.wake()
    log.info("product.photo_replaced", product_id=product_id)
    return product


async def get_photo(database: Database, product_id: str, viewer: UUID | None) -> Photo:
    """Return the photo of a visible product, or of the viewer's own.

    Raises:
        NotFound: there is none, or its product is hidden and somebody else's.
    """
    async with database.connection() as connection:
        found = await repository.find_photo(connection, product_id, viewer)
    if found is None:
        raise NotFound
    return found


async def remove_product(
    database: Database,
    remover: Remover,
    product_id: str,
    user_id: UUID,
    expected: IfMatch,
) -> None:
    """Remove the user's product and let go of its photo's files.

    Raises:
        NotFound: there is none, or it is somebody else's.
        VersionMismatch: it is not a version that is expected.
    """
    async with database.transaction() as connection:
        if not await repository.remove(connection, product_id, user_id, expected):
            found = await repository.find(connection, product_id, user_id)
            raise VersionMismatch if found and found.user_id == user_id else NotFound
    remover.wake()
    log.info("product.deleted", product_id=product_id)


async def _read_stored_bytes(database: Database, product_id: str, user_id: UUID) -> int:
    """Return the bytes that the present photo, if any, of the user's own product takes."""
    product = await get_product(database, product_id, user_id)
    if product.user_id != user_id:
        raise NotFound
    async with database.connection() as connection:
        photo = await repository.find_photo(connection, product_id, user_id)
        if photo is None:
            return 0
        return (await read_counted(connection, [photo.id])).get(photo.id, photo.size)


async def _replace(intake: Intake, token: str, product_id: str, stored: StoredPhoto) -> Product:
    """Exchange the rows: the old photo's room is free before the new one needs it."""
    intake.authenticator.authenticate(token)
    photo = stored.photo
    async with intake.database.transaction() as connection:
        if not await repository.take_photo_off(connection, product_id, photo.user_id):
            raise NotFound
        await take_room(connection, photo.user_id, stored.counted, intake.allowance)
        return await repository.put_photo_on(connection, product_id, photo)


async def _keep(
    intake: Intake, staged: StagedFile, arrival: Arrival[Any], name: str
) -> StoredPhoto:
    facts = await render(intake.images, staged, arrival)
    new, now = new_id(intake.clock, intake.entropy), intake.clock.now()
    photo = Photo(**asdict(described(facts, new, arrival.user_id, name=name, now=now)))
    await intake.storage.keep(places(facts, staged, photo.key))
    return StoredPhoto(photo, CountedPicture(photo.id, facts.stored_bytes))
