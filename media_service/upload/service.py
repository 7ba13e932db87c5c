"""The use case: take an image in."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, Status
from media_service.creative.schedule_time import due_at
from media_service.idempotency.model import FirstAnswer, fingerprint
from media_service.idempotency.service import Turn
from media_service.image.model import ImageFacts
from media_service.picture.model import DescribedPicture
from media_service.quota.model import CountedPicture
from media_service.quota.service import take_room
from media_service.upload.context import Intake, discarding, upload_turn
from media_service.upload.model import Draft
from media_service.upload.pending_upload import Arrival
from media_service.upload.pipeline import described, places, render, told_by
from shared.entropy import new_id

ROUTE = "creatives"
log = structlog.get_logger()


async def take_in(
    intake: Intake, arrival: Arrival[Draft], answer: Callable[[Creative, bytes], FirstAnswer]
) -> FirstAnswer:
    """Return what the creative that the form describes is answered with; row and files are durable.

    The file is staged and rendered, and what is served of it moved to its place before the row is
    written: whoever sees the row can read every variant. When the row's fate is unknown (the
    connection broke at commit) the files stay; if there is no row, the sweeper removes them. A
    repeated request gets the first one's answer, and nothing is stored.

    Raises:
        MalformedRequest, BodyTooLarge, UploadTooSlow, ValidationFailed, ScheduledInPast: the form.
        UnsupportedImage, BrokenImage, ImageTooLarge: the image.
        QuotaExceeded, RateLimited: the user has no more room, or sends too many.
        RequestInProgress, IdempotencyMismatch: the key is another request's.
        TokenInvalid, TokenRevoked: the token was good when the upload began, and is not now.
        ServiceUnavailable, StorageFull: try again later.
    """
    intake.images.require_room(arrival.user_id)
    async with upload_turn(intake, ROUTE, arrival) as turn, intake.storage.stage() as staged:
        draft = await arrival.read(staged)
        digest = await told_by(arrival, staged)
        mark = fingerprint(draft.fields, digest)
        if repeated := turn.first_answer(mark):
            return repeated
        now = intake.clock.now()
        due = due_at(draft.when, await intake.zones.require(draft.timezone), now)
        facts = await render(intake.images, staged, arrival)
        new = new_id(intake.clock, intake.entropy)
        picture = described(facts, new, arrival.user_id, name=draft.file_name, now=now)
        creative = _creative(picture, draft, due, facts)
        await intake.storage.keep(places(facts, staged, creative.key))
        counted = CountedPicture(creative.id, facts.stored_bytes)
        first = answer(creative, mark)
        return await _commit(intake, arrival.token, turn, creative, first, counted=counted)


async def _commit(
    intake: Intake,
    token: str,
    turn: Turn,
    creative: Creative,
    first: FirstAnswer,
    *,
    counted: CountedPicture,
) -> FirstAnswer:
    """Write the row and its answer while the token and the room last; else remove the files."""
    async with discarding(intake.storage, creative.files()):
        intake.authenticator.authenticate(token)
        async with intake.database.transaction() as connection:
            await take_room(connection, creative.user_id, counted, intake.allowance)
            await repository.insert(connection, creative)
            await turn.finish(connection, first)
    log.info("creative.created", creative_id=str(creative.id), bytes=creative.size)
    return first


def _creative(
    picture: DescribedPicture, draft: Draft, due: datetime, facts: ImageFacts
) -> Creative:
    return Creative(
        **asdict(picture),
        title=draft.title,
        placeholder=facts.placeholder,
        due_at=due,
        timezone=draft.timezone,
        status=Status.SCHEDULED,
        updated_at=picture.created_at,
        version=1,
    )
