"""Use cases of creatives: create, list, read, link, change, delete."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

import structlog

from media_service.creative import repository
from media_service.creative.model import (
    Creative,
    CreativeDraft,
    CreativeFilter,
    CreativeUpdate,
    Owner,
    Status,
)
from media_service.creative.response import creative_fields
from media_service.creative.schedule_time import day_of, resolve_due_at
from media_service.creative.signed_link import Link, LinkSigner
from media_service.creative.timezones import TimezoneRegistry
from media_service.event.model import EventType
from media_service.event.recorder import EventRecorder
from media_service.idempotency.model import StoredResponse
from media_service.picture.file_deleter import FileDeleter
from media_service.quota.service import reserve_bytes
from media_service.upload.service import PendingUpload, UploadService
from shared.db import Database, Executor
from shared.errors import Conflict, Forbidden, NotFound, VersionMismatch
from shared.if_match import OwnVersion
from shared.tokens import Claims

ROUTE = "creatives"
EDITOR = "editor"
log = structlog.get_logger()


async def create_creative(
    uploads: UploadService,
    timezones: TimezoneRegistry,
    upload: PendingUpload[CreativeDraft],
    to_response: Callable[[Creative, bytes], StoredResponse],
) -> StoredResponse:
    """Create the creative that the form describes; return the response to its first request.

    The renditions are in the store before the row is written: a client that sees the row can read
    every variant. A replay stores nothing, and gets the first response.

    Raises:
        ScheduledInPast, ValidationFailed: it cannot be due then.
        IdempotencyMismatch: the key belongs to another request.
        What `UploadService` raises: the upload, the picture or the token is refused.
    """
    async with uploads.receive(upload, ROUTE) as received:
        draft = received.draft
        request_hash = await received.hash(draft.fields)
        if repeated := received.request.stored_response(request_hash):
            return repeated
        zone = await timezones.require(draft.timezone)
        due = resolve_due_at(draft.when, zone, uploads.clock.now())
        picture = await uploads.store(received, draft.file_name)
        creative = Creative(
            **asdict(picture.record),
            title=draft.title,
            placeholder=picture.placeholder,
            due_at=due,
            timezone=draft.timezone,
            status=Status.SCHEDULED,
            updated_at=picture.record.created_at,
            version=1,
            published_at=None,
        )
        response = to_response(creative, request_hash)
        async with uploads.transaction(upload.token, picture) as connection:
            await reserve_bytes(connection, creative.user_id, picture.usage, uploads.quota)
            await repository.insert(connection, creative)
            await repository.store_day(connection, creative.id, day_of(draft.when))
            await uploads.events.record(
                connection, creative.user_id, "creative.created", creative_fields(creative)
            )
            await received.request.store_response(connection, response)
    log.info("creative.created", creative_id=str(creative.id), bytes=creative.size)
    return response


async def list_creatives(
    database: Database, caller: Claims, owner: Owner, selection: CreativeFilter
) -> list[Creative]:
    """Return one page of the caller's creatives, or of all users', by due time.

    Raises:
        Forbidden: a caller who is not an editor asks for those of all users.
    """
    owner_filter = _owner_filter(caller, owner)
    return await repository.page(database, owner_filter, selection)


async def get_creative(
    database: Database, creative_id: UUID, caller: Claims, owner: Owner
) -> Creative:
    """Return the caller's creative, or for an editor any user's.

    Raises:
        Forbidden: a caller who is not an editor asks for any user's.
        NotFound: there is none, or another user owns it.
    """
    return await _require_creative(database, creative_id, _owner_filter(caller, owner))


async def get_creative_by_link(
    database: Database, link_signer: LinkSigner, link: Link, signature: str, now: datetime
) -> Creative:
    """Return the creative of a link; any bearer of the link may read it.

    Raises:
        Forbidden: the link is invalid or has expired.
        NotFound: the creative was deleted.
    """
    link_signer.verify(link, signature, now)
    return await _require_creative(database, link.creative_id, None)


async def sign_link(database: Database, link_signer: LinkSigner, user_id: UUID, link: Link) -> str:
    """Return our signature of the link to one variant of the user's creative.

    Raises:
        NotFound: there is none, or another user owns it.
    """
    await _require_creative(database, link.creative_id, user_id)
    return link_signer.sign(link)


async def update_creative(
    database: Database,
    timezones: TimezoneRegistry,
    events: EventRecorder,
    target: OwnVersion[UUID],
    update: CreativeUpdate,
) -> Creative:
    """Return the user's creative after the change; of two concurrent changes, one fails.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not, or no longer, an expected one.
        Conflict: its status does not allow the update.
        ScheduledInPast, ValidationFailed: it cannot be due then.
    """
    current = await _require_creative(database, target.id, target.user_id)
    target.expected.check(current.version)
    changed = await _apply_update(current, update, timezones, events.clock.now())
    async with database.transaction() as connection:
        stored = await repository.update(connection, changed)
        if stored is None:
            latest = await _require_creative(connection, target.id, target.user_id)
            raise VersionMismatch(latest.version)
        if update.when:
            await repository.store_day(connection, target.id, day_of(update.when))
        event_type = _event_type(current, stored)
        await events.record(connection, target.user_id, event_type, creative_fields(stored))
    log.info("creative.changed", creative_id=str(target.id), version=stored.version)
    return stored


async def delete_creative(
    database: Database, file_deleter: FileDeleter, target: OwnVersion[UUID]
) -> None:
    """Delete the user's creative: the row first, so that no row is ever without its files.

    The same statement queues its files; they are deleted in a moment, or when the store is back.

    Raises:
        NotFound: there is none, or another user owns it.
        VersionMismatch: its version is not an expected one.
    """
    if not await repository.delete(database, target):
        latest = await _require_creative(database, target.id, target.user_id)
        raise VersionMismatch(latest.version)
    file_deleter.notify()
    log.info("creative.deleted", creative_id=str(target.id))


def _owner_filter(caller: Claims, owner: Owner) -> UUID | None:
    """Return the owner whose creatives the caller may see, None for all owners."""
    if owner == "me":
        return caller.sub
    if EDITOR not in caller.roles:
        raise Forbidden("only an editor sees the creatives of all users")
    return None


async def _require_creative(executor: Executor, creative_id: UUID, owner: UUID | None) -> Creative:
    """Return the creative, if `owner` is None or owns it.

    Raises:
        NotFound: there is none, or another user owns it.
    """
    creative = await repository.find(executor, creative_id, owner)
    if creative is None:
        raise NotFound
    return creative


def _event_type(current: Creative, changed: Creative) -> EventType:
    is_cancelled = changed.status is not current.status
    return "creative.cancelled" if is_cancelled else "creative.updated"


async def _apply_update(
    current: Creative, update: CreativeUpdate, timezones: TimezoneRegistry, now: datetime
) -> Creative:
    if (update.when or update.timezone) and current.status is not Status.SCHEDULED:
        raise Conflict(f"a creative that is {current.status} cannot be rescheduled")
    if update.cancels and current.status not in {Status.SCHEDULED, Status.CANCELLED}:
        raise Conflict(f"a creative that is {current.status} cannot be cancelled")
    timezone = update.timezone or current.timezone
    zone = await timezones.require(timezone)
    return replace(
        current,
        title=current.title if update.title is None else update.title or None,
        timezone=timezone,
        due_at=resolve_due_at(update.when, zone, now) if update.when else current.due_at,
        status=Status.CANCELLED if update.cancels else current.status,
        updated_at=now,
    )
