"""Refusals that concern a creative."""

from shared.errors import DomainError


class ScheduledInPast(DomainError):
    """The day is over in its zone, or the time has passed."""

    code, status, title = "scheduled_in_past", 422, "The scheduled time is in the past"


class RangeNotSatisfiable(DomainError):
    """The range asked for begins behind the file's end."""

    code, status, title = "range_not_satisfiable", 416, "The range is outside the file"

    def __init__(self, size: int) -> None:
        """Keep the file's length."""
        super().__init__()
        self.size = size

    def headers(self) -> dict[str, str]:
        """Tell the file's length (RFC 9110 §15.5.17)."""
        return {"Content-Range": f"bytes */{self.size}"}
