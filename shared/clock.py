"""The one place that reads the machine's clocks."""

import time
from datetime import UTC, datetime
from typing import Protocol

_SUSPEND_AWARE = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux the clock that goes on while the machine sleeps: what was fresh before is not after."""


class Clock(Protocol):
    """Tells the time; passed in, so that a test can hold it still."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never step back, for measuring spans only."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never step back, for measuring spans only."""
        return time.clock_gettime(_SUSPEND_AWARE)


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since the Unix epoch."""
    return int(moment.timestamp() * 1000)


def rfc3339(moment: datetime) -> str:
    """Return the moment as RFC 3339 in UTC with `Z`, microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rfc3339_sql(time: str) -> str:
    """Return the SQL that writes a time in UTC, as the connection is, as `rfc3339` does."""
    return f"""replace(to_char({time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')"""
