"""The clock of the revocation model."""

from datetime import UTC, datetime, timedelta

from shared.clock import SystemClock

START = datetime(2027, 1, 15, tzinfo=UTC)


class ModelClock(SystemClock):
    """Time passes when the model says so; the wall clock may be wrong by a step."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.step = timedelta()

    @property
    def true(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def now(self) -> datetime:
        return self.true + self.step

    def monotonic(self) -> float:
        return self.seconds
