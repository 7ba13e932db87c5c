"""The open files of one job. The service opens them, because a decoder cannot."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from media_service.image.model import VARIANTS, rendition_temp_path


@dataclass(slots=True)
class JobFiles:
    """Descriptors: the upload's to read, then one to write for each of `VARIANTS`."""

    descriptors: list[int] = field(default_factory=list)

    @property
    def source(self) -> int:
        """Return where the upload is read."""
        return self.descriptors[0]

    def target(self, variant: str) -> int:
        """Return where that variant is written."""
        return self.descriptors[1 + VARIANTS.index(variant)]

    def close(self) -> None:
        """Close all of them."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def rendition_sizes(path: Path) -> list[int]:
    """Return the sizes of an upload's renditions, in the order of `VARIANTS`.

    Raises:
        OSError: one of them cannot be found.
    """
    return [rendition_temp_path(path, variant).stat().st_size for variant in VARIANTS]


@contextmanager
def open_job_files(path: Path) -> Iterator[JobFiles]:
    """Open an upload and, beside it, its renditions.

    Raises:
        OSError: one of them cannot be opened, for want of room say.
    """
    files = JobFiles()
    try:
        files.descriptors.append(os.open(path, os.O_RDONLY))
        for variant in VARIANTS:
            target = rendition_temp_path(path, variant)
            files.descriptors.append(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
        yield files
    finally:
        files.close()
