"""From a staged upload to files that the store keeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from media_service.image.model import ImageFacts, rendering
from media_service.image.pool import ImagePool
from media_service.storage.model import ObjectKey, StagedFile
from media_service.storage.staged import full_disk_refused
from media_service.upload.arrival import Arrival


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


def places(
    facts: ImageFacts, staged: StagedFile, key: Callable[[str], ObjectKey]
) -> dict[ObjectKey, Path]:
    """Return what the store is to keep, by the key of each variant."""
    return {key(one.variant): rendering(staged.path, one.variant) for one in facts.made}
