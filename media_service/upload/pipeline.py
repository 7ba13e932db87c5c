"""From a temporary file to a picture in the store."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from media_service.image.model import EXTENSIONS, ImageInfo, rendition_path
from media_service.image.worker.pool import DecoderPool
from media_service.picture.model import PictureRecord
from media_service.storage.model import ObjectKey, TempFile
from media_service.storage.temp_file import translate_disk_full
from media_service.upload.pending_upload import PendingUpload

MAX_STEM = 100
DEFAULT_STEM = "image"
_REPLACEMENTS = str.maketrans(dict.fromkeys('<>:"|?*;%', "_"))
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


async def digest_if_keyed(upload: PendingUpload[Any], temp_file: TempFile) -> bytes | None:
    """Return the file's digest if the request has an idempotency key, which identifies replays.

    Other uploads save a tenth of their cost.
    """
    return await temp_file.digest() if upload.key else None


async def render(images: DecoderPool, temp_file: TempFile, upload: PendingUpload[Any]) -> ImageInfo:
    """Return what the temporary file is, with its renditions written beside it.

    Raises:
        UnsupportedImage, BrokenImage, ImageLimitExceeded: the picture is refused.
        ServiceUnavailable, StorageFull: try again later.
    """
    with translate_disk_full():
        return await images.render(temp_file.path, upload.user_id)


def picture_record(
    info: ImageInfo, picture_id: UUID, user_id: UUID, *, name: str, now: datetime
) -> PictureRecord:
    """Return the picture's record; `name` is the client's file name."""
    return PictureRecord(
        id=picture_id,
        user_id=user_id,
        variants=tuple(one.variant for one in info.renditions),
        file_name=clean_file_name(name, info.content_type),
        content_type=info.content_type,
        size=info.original.size,
        width=info.width,
        height=info.height,
        sha256=bytes.fromhex(info.original.sha256),
        created_at=now,
    )


def storage_paths(
    info: ImageInfo, temp_file: TempFile, key: Callable[[str], ObjectKey]
) -> dict[ObjectKey, Path]:
    """Return the file of each rendition, by its key in the store."""
    return {
        key(one.variant): rendition_path(temp_file.path, one.variant) for one in info.renditions
    }


def clean_file_name(given: str | None, content_type: str) -> str:
    """Return a name that is safe to show and to save under, with the extension that is true.

    No directory, control or direction character, nor what a shell, a header or Windows reads
    otherwise; at most `MAX_STEM` characters before the extension.
    """
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        " " if unicodedata.category(char) in _INVISIBLE_CATEGORIES else char
        for char in unicodedata.normalize("NFC", last[: MAX_STEM * 4])
    )
    stem, dot, _ = visible.rpartition(".")
    words = " ".join((stem if dot else visible).translate(_REPLACEMENTS).split())
    shown = words[:MAX_STEM].strip(" .") or DEFAULT_STEM
    return f"{shown}.{EXTENSIONS[content_type]}"
