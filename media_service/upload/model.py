"""What an upload may be, and how fast it must come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

MAX_PARTS = 8
MAX_FIELD_BYTES = 16 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
READING_SLOTS = 32
FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class Draft:
    """A creative as its form describes it.

    `file_name` is the client's; `fields` are what a repetition has to have alike.
    """

    file_name: str
    title: str | None
    when: date | datetime
    timezone: str
    fields: Mapping[str, object]


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


class Pace:
    """How much longer a client may keep us waiting: at most `patience` seconds, earned by bytes.

    Only time in which we wait for the client is spent, so a busy disk on our side costs it
    nothing; and what it was fast with earlier is not saved up, so a stalled one is noticed.
    """

    def __init__(self, limits: UploadLimits) -> None:
        """Start with the whole patience."""
        self._limits = limits
        self._left = limits.patience

    @property
    def left(self) -> float:
        """Return the seconds that the next byte may take, at least zero."""
        return max(0.0, self._left)

    def waited(self, seconds: float) -> None:
        """Spend the time that we have waited."""
        self._left -= seconds

    def received(self, count: int) -> None:
        """Earn the time that `count` bytes may take at the minimum rate."""
        self._left = min(self._limits.patience, self._left + count / self._limits.min_rate)
