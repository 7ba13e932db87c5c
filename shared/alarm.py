"""A log line for a repeated event: at once, then at most one a minute."""

import logging
from dataclasses import dataclass

import structlog

SILENT_SECONDS = 60
log = structlog.get_logger()


@dataclass(slots=True)
class Alarm:
    """Logs one kind of event. `times` counts those since the line before."""

    event: str
    level: int = logging.ERROR
    _times: int = 0
    _silent_until: float = float("-inf")

    def record(self, now: float, **facts: str) -> None:
        """Count the event at `now`, in monotonic seconds, and log it when a line is due."""
        self._times += 1
        if now < self._silent_until:
            return
        log.log(self.level, self.event, times=self._times, **facts)
        self._times, self._silent_until = 0, now + SILENT_SECONDS
