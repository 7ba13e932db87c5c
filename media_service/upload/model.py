"""The limits of an upload."""

from dataclasses import dataclass

MAX_PARTS = 8
MAX_FIELD_BYTES = 16 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
MAX_READING_CHUNKS = 32


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bounds of one upload. `min_rate` is in bytes a second, `patience` in seconds.

    The whole body may be `FORM_OVERHEAD_BYTES` larger than the file in it.
    """

    max_file_bytes: int
    min_rate: int = 8 * 1024
    patience: float = 10.0

    @property
    def max_body_bytes(self) -> int:
        """Return how many bytes are read of a body at most."""
        return self.max_file_bytes + FORM_OVERHEAD_BYTES
