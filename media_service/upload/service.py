"""The use case: take an image in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.due import due_at, parse_when
from media_service.creative.model import Creative, Status
from media_service.creative.zone import Zones
from media_service.image.model import ImageFacts
from media_service.image.pool import ImagePool
from media_service.storage.model import ORIGINAL, Digest, StagedFile, Storage
from media_service.upload.body import UploadBody
from media_service.upload.file_name import clean_file_name
from media_service.upload.form import read_form
from media_service.upload.model import UploadLimits
from media_service.upload.schemas import UploadForm
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.revocation.admission import Admission

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking an image in needs, put together once."""

    limits: UploadLimits
    admission: Admission
    images: ImagePool
    storage: Storage
    database: Database
    zones: Zones
    clock: Clock
    entropy: Entropy


async def take_in(intake: Intake, body: UploadBody, boundary: bytes, token: str) -> Creative:
    """Return the creative that the form describes, its row and its file durable.

    The file is staged, checked, and moved to its place before the row is written: whoever sees
    the row can read the file. When the row's fate is unknown (the connection broke at commit)
    the file stays; if there is no row, the sweeper removes it.

    Raises:
        MalformedRequest, BodyTooLarge, UploadTooSlow, ValidationFailed, ScheduledInPast: the form.
        UnsupportedImage, BrokenImage, ImageTooLarge: the image.
        TokenInvalid, TokenRevoked: the token was good when the upload began, and is not now.
        ServiceUnavailable, StorageFull: try again later.
    """
    clock = intake.clock
    intake.images.require_room()
    async with intake.storage.stage() as staged:
        form = await read_form(body, boundary, staged, intake.limits)
        due = await _due(form, intake.zones, clock.now())
        facts, digest = await _check(staged, intake.images)
        owner = intake.admission.admit(token).sub
        creative = _creative(
            new_id(clock, intake.entropy),
            owner,
            form=form,
            due=due,
            facts=facts,
            digest=digest,
            now=clock.now(),
        )
        await intake.storage.keep(staged, creative.key(ORIGINAL))
    async with intake.database.connection() as connection:
        await repository.insert(connection, creative)
    log.info("creative.created", creative_id=str(creative.id), bytes=creative.size)
    return creative


async def _due(form: UploadForm, zones: Zones, now: datetime) -> datetime:
    zone = await zones.require(form.timezone)
    when = parse_when(form.scheduled_at)
    if when is None:  # pragma: no cover - the form's own validation lets none through
        raise AssertionError
    return due_at(when, zone, now)


async def _check(staged: StagedFile, images: ImagePool) -> tuple[ImageFacts, Digest]:
    digest = await staged.seal()
    return await images.inspect(staged.path), digest


def _creative(
    creative_id: UUID,
    owner: UUID,
    *,
    form: UploadForm,
    due: datetime,
    facts: ImageFacts,
    digest: Digest,
    now: datetime,
) -> Creative:
    return Creative(
        id=creative_id,
        user_id=owner,
        title=form.title,
        file_name=clean_file_name(form.file, facts.content_type),
        content_type=facts.content_type,
        size=digest.size,
        width=facts.width,
        height=facts.height,
        sha256=digest.sha256,
        placeholder=None,
        due_at=due,
        timezone=form.timezone,
        status=Status.SCHEDULED,
        variants=(ORIGINAL,),
        created_at=now,
        updated_at=now,
        version=1,
    )
