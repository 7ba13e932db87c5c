"""The limits of an upload, and the rate that it must keep."""

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


class UploadTimeBudget:
    """A budget of waiting time: at most `patience` seconds, earned by the bytes that arrive.

    Only time spent waiting for the client counts, so a busy disk on our side costs it nothing. The
    budget does not grow beyond `patience`, so a stalled client is noticed however fast it was.
    """

    def __init__(self, limits: UploadLimits) -> None:
        """Start with the whole patience."""
        self._limits = limits
        self._remaining = limits.patience

    @property
    def remaining(self) -> float:
        """Return the seconds that the next byte may take, at least zero."""
        return max(0.0, self._remaining)

    def spend(self, seconds: float) -> None:
        """Take the waited time off the budget."""
        self._remaining -= seconds

    def earn(self, count: int) -> None:
        """Add the time that `count` bytes may take at the minimum rate."""
        self._remaining = min(
            self._limits.patience, self._remaining + count / self._limits.min_rate
        )
