"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta

from shared.clock import SystemClock


class MovableClock(SystemClock):
    """Real time, plus what the test has added: both clocks move together, as when time passes."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        return super().monotonic() + self.offset.total_seconds()

    def advance(self, **span: float) -> None:
        self.offset += timedelta(**span)
