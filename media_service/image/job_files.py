"""The files of one job. The service opens them: a decoder can open none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from media_service.image.model import VARIANTS, rendering


@dataclass(slots=True)
class PictureFiles:
    """Descriptors: the upload's, to be read, then one to be written for each of `VARIANTS`."""

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


def made_sizes(path: Path) -> list[int]:
    """Return the sizes of the files beside an upload, in the order of `VARIANTS`.

    Raises:
        OSError: one of them cannot be found.
    """
    return [rendering(path, variant).stat().st_size for variant in VARIANTS]


@contextmanager
def open_files(path: Path) -> Iterator[PictureFiles]:
    """Open an upload and, beside it, the files that are made of it.

    Raises:
        OSError: one of them cannot be opened, for want of room say.
    """
    files = PictureFiles()
    try:
        files.descriptors.append(os.open(path, os.O_RDONLY))
        for variant in VARIANTS:
            made = rendering(path, variant)
            files.descriptors.append(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
        yield files
    finally:
        files.close()
