"""What a cleaned file consists of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The file without its metadata, in pieces, and how its pixels want to be turned.

    `orientation` is Exif's: 1 is upright, 2 to 8 are the other ways to hold a camera.
    `lossless` tells whether its pixels were packed without loss.
    """

    pieces: list[bytes]
    orientation: int = 1
    lossless: bool = True

    def __bytes__(self) -> bytes:
        """Return the whole file."""
        return b"".join(self.pieces)
