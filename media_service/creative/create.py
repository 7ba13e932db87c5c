"""The use case that creates a creative from an upload."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import structlog

from media_service.creative import repository
from media_service.creative.model import Creative, CreativeDraft, Status
from media_service.creative.schedule_time import resolve_due_at
from media_service.creative.timezones import TimezoneRegistry
from media_service.idempotency.model import StoredResponse, hash_request
from media_service.idempotency.service import IdempotentRequest
from media_service.image.model import ImageInfo
from media_service.picture.model import PictureRecord
from media_service.quota.model import PictureUsage
from media_service.quota.service import reserve_bytes
from media_service.upload.context import UploadContext, discard_on_refusal, upload_guard
from media_service.upload.pending_upload import PendingUpload
from media_service.upload.pipeline import digest_if_keyed, picture_record, render, storage_paths
from shared.entropy import new_id

ROUTE = "creatives"
log = structlog.get_logger()


async def create_creative(
    context: UploadContext,
    timezones: TimezoneRegistry,
    upload: PendingUpload[CreativeDraft],
    to_response: Callable[[Creative, bytes], StoredResponse],
) -> StoredResponse:
    """Create the creative that the form describes; return the response to its first request.

    The file is rendered, and its renditions are put into the store, before the row is written:
    whoever sees the row can read every variant. When the connection breaks at the commit, the files
    stay; if there is no row, `reconcile` deletes them. A replay stores nothing, and gets the first
    response.

    Raises:
        MalformedRequest, BodyTooLarge, UploadTooSlow, ValidationFailed, ScheduledInPast: the form.
        UnsupportedImage, BrokenImage, ImageLimitExceeded: the image.
        QuotaExceeded, RateLimited: the user's quota is used up.
        RequestInProgress, IdempotencyMismatch: the key belongs to another request.
        TokenInvalid, TokenRevoked: the token was good when the upload began, and is not now.
        ServiceUnavailable, StorageFull: try again later.
    """
    context.images.require_capacity(upload.user_id)
    async with (
        upload_guard(context, ROUTE, upload) as request,
        context.storage.create_temp_file() as temp_file,
    ):
        draft = await upload.read(temp_file)
        digest = await digest_if_keyed(upload, temp_file)
        request_hash = hash_request(draft.fields, digest)
        if repeated := request.stored_response(request_hash):
            return repeated
        now = context.clock.now()
        due = resolve_due_at(draft.when, await timezones.require(draft.timezone), now)
        info = await render(context.images, temp_file, upload)
        new = new_id(context.clock, context.entropy)
        picture = picture_record(info, new, upload.user_id, name=draft.file_name, now=now)
        creative = _new_creative(picture, draft, due, info)
        await context.storage.put(storage_paths(info, temp_file, creative.object_key))
        usage = PictureUsage(creative.id, info.stored_bytes)
        response = to_response(creative, request_hash)
        async with discard_on_refusal(context.storage, creative.object_keys()):
            context.authenticator.authenticate(upload.token)
            await _store(context, request, creative, usage, response)
        return response


async def _store(
    context: UploadContext,
    request: IdempotentRequest,
    creative: Creative,
    usage: PictureUsage,
    response: StoredResponse,
) -> None:
    """Store row and response if the quota still allows it."""
    async with context.database.transaction() as connection:
        await reserve_bytes(connection, creative.user_id, usage, context.quota)
        await repository.insert(connection, creative)
        await request.store_response(connection, response)
    log.info("creative.created", creative_id=str(creative.id), bytes=creative.size)


def _new_creative(
    picture: PictureRecord, draft: CreativeDraft, due: datetime, info: ImageInfo
) -> Creative:
    return Creative(
        **asdict(picture),
        title=draft.title,
        placeholder=info.placeholder,
        due_at=due,
        timezone=draft.timezone,
        status=Status.SCHEDULED,
        updated_at=picture.created_at,
        version=1,
    )
