"""From a staged upload to files that the store keeps."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from media_service.image.model import ImageFacts, rendering
from media_service.image.worker.pool import ImagePool
from media_service.picture.model import DescribedPicture
from media_service.storage.model import ObjectKey, StagedFile
from media_service.storage.temp_file import full_disk_refused
from media_service.upload.file_name import clean_file_name
from media_service.upload.pending_upload import Arrival


async def told_by(arrival: Arrival[Any], staged: StagedFile) -> bytes | None:
    """Return the file's digest where repetitions are to be told by it: where there is a key.

    The others are spared a tenth of what an upload costs.
    """
    return await staged.digest() if arrival.key else None


async def render(images: ImagePool, staged: StagedFile, arrival: Arrival[Any]) -> ImageFacts:
    """Return what the staged file is; what is served of it lies beside it then.

    Raises:
        UnsupportedImage, BrokenImage, ImageTooLarge: the picture is refused.
        ServiceUnavailable, StorageFull: try again later.
    """
    with full_disk_refused():
        return await images.render(staged.path, arrival.user_id)


def described(
    facts: ImageFacts, picture_id: UUID, user_id: UUID, *, name: str, now: datetime
) -> DescribedPicture:
    """Return what is written down of the picture; `name` is the file's at the client."""
    return DescribedPicture(
        id=picture_id,
        user_id=user_id,
        variants=tuple(one.variant for one in facts.made),
        file_name=clean_file_name(name, facts.content_type),
        content_type=facts.content_type,
        size=facts.original.size,
        width=facts.width,
        height=facts.height,
        sha256=bytes.fromhex(facts.original.sha256),
        created_at=now,
    )


def places(
    facts: ImageFacts, staged: StagedFile, key: Callable[[str], ObjectKey]
) -> dict[ObjectKey, Path]:
    """Return what the store is to keep, by the key of each variant."""
    return {key(one.variant): rendering(staged.path, one.variant) for one in facts.made}
