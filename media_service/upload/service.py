"""From an upload to a picture in the store; the features add rows of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from media_service.event.recorder import EventRecorder
from media_service.idempotency.errors import RequestInProgress
from media_service.idempotency.model import KeyedRequest, hash_request
from media_service.idempotency.service import IdempotentRequest, idempotency_guard
from media_service.image.model import rendition_temp_path
from media_service.image.worker.pool import DecoderPool
from media_service.picture.model import PictureRecord
from media_service.quota.errors import QuotaExceeded
from media_service.quota.model import ActiveUpload, PictureUsage, QuotaLimits
from media_service.quota.service import upload_slot
from media_service.storage.errors import translate_os_errors
from media_service.storage.model import ObjectKey, Storage
from media_service.storage.temp_file import TempFile
from media_service.upload.file_name import clean_file_name
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound, ServiceUnavailable, TokenInvalid
from shared.revocation.authenticator import TokenAuthenticator

FRAMING_BYTES = 32 * 1024
"""More than a form needs around its file, so everything above it is bytes of the file."""
Draft = TypeVar("Draft")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PendingUpload(KeyedRequest, Generic[Draft]):
    """An upload of which only the headers were read.

    `read` reads the form: it writes the file to the temporary file and returns the fields.
    """

    read: Callable[[TempFile], Awaitable[Draft]]
    content_length: int | None

    @property
    def min_stored_bytes(self) -> int:
        """Return the least size of the file, by Content-Length."""
        return max(0, (self.content_length or 0) - FRAMING_BYTES)


@dataclass(frozen=True, slots=True)
class ReceivedUpload(Generic[Draft]):
    """An upload whose form was read: its fields are in `draft`, its file is in `temp_file`."""

    user_id: UUID
    request: IdempotentRequest
    temp_file: TempFile
    draft: Draft

    async def hash(self, fields: Mapping[str, object], *, with_file: bool = True) -> bytes:
        """Return the hash by which a replay is known.

        Without an idempotency key the file is left out, which saves a tenth of an upload's cost.
        """
        digest = await self.temp_file.digest() if with_file and self.request.key else None
        return hash_request(fields, digest)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture with its files in the store, and its share of the owner's quota."""

    record: PictureRecord
    usage: PictureUsage
    placeholder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadService:
    """The steps that every upload of a picture takes."""

    quota: QuotaLimits
    authenticator: TokenAuthenticator
    images: DecoderPool
    storage: Storage
    database: Database
    clock: Clock
    entropy: Entropy

    @property
    def events(self) -> EventRecorder:
        """Return the recorder of events about what is uploaded."""
        return EventRecorder(self.clock, self.entropy)

    @asynccontextmanager
    async def receive(
        self, upload: PendingUpload[Draft], route: str, *, at_least: int = 1, freed: int = 0
    ) -> AsyncIterator[ReceivedUpload[Draft]]:
        """Read the upload; hold one of the user's slots and the idempotency key for the block.

        `at_least`: bytes that it stores at least; `freed`: bytes that it replaces.

        Raises:
            RequestInProgress: another request with this key runs.
            RateLimited, QuotaExceeded, TokenRevoked: the user may not upload now.
            ServiceUnavailable: too many pictures wait for a decoder.
            MalformedRequest, BodyTooLarge, UploadTooSlow, ValidationFailed: the form is refused.
        """
        self.images.require_capacity(upload.user_id)
        lease = new_id(self.clock, self.entropy)
        key = upload.idempotency_key(route, lease)
        async with idempotency_guard(self.database, key, self.clock) as request:
            replay = request.first_response is not None
            declared = 0 if replay else max(at_least, upload.min_stored_bytes - freed)
            active = ActiveUpload(lease, upload.user_id, declared, is_replay=replay)
            async with (
                upload_slot(self.database, self.quota, active, self.clock),
                self.storage.temp_dir.create() as temp_file,
            ):
                draft = await upload.read(temp_file)
                yield ReceivedUpload(upload.user_id, request, temp_file, draft)

    async def store(self, received: ReceivedUpload[Any], file_name: str) -> StoredPicture:
        """Render the file and store its renditions; `file_name` is the client's.

        Raises:
            UnsupportedImage, BrokenImage, ImageLimitExceeded: the picture is refused.
            ServiceUnavailable, StorageFull: try again later.
        """
        path = received.temp_file.path
        with translate_os_errors():
            info = await self.images.render(path, received.user_id)
        record = PictureRecord(
            id=new_id(self.clock, self.entropy),
            user_id=received.user_id,
            variants=tuple(one.variant for one in info.renditions),
            file_name=clean_file_name(file_name, info.content_type),
            content_type=info.content_type,
            size=info.original.size,
            width=info.width,
            height=info.height,
            sha256=bytes.fromhex(info.original.sha256),
            created_at=self.clock.now(),
        )
        await self.storage.put(
            {record.object_key(one): rendition_temp_path(path, one) for one in record.variants}
        )
        return StoredPicture(record, PictureUsage(record.id, info.stored_bytes), info.placeholder)

    @asynccontextmanager
    async def transaction(
        self, token: str, picture: StoredPicture | None = None
    ) -> AsyncIterator[Connection]:
        """Lend a transaction for the picture's rows; when they are refused, delete its files.

        When the connection breaks at the commit, the files stay; without a row, `reconcile` deletes
        them.

        Raises:
            TokenInvalid, TokenRevoked: the token was good when the upload began, and is not now.
        """
        try:
            self.authenticator.authenticate(token)
            async with self.database.transaction() as connection:
                yield connection
        except (QuotaExceeded, RequestInProgress, TokenInvalid, NotFound):
            for key in picture.record.object_keys() if picture else ():
                await self._delete_file(key)
            raise

    async def _delete_file(self, key: ObjectKey) -> None:
        """Delete one file; `reconcile` deletes what a failing store keeps."""
        try:
            await self.storage.delete(key)
        except (OSError, ServiceUnavailable) as failed:
            log.warning("file.removal_failed", key=str(key), error=repr(failed))
