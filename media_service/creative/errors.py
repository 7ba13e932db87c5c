"""Errors of creatives."""

from shared.errors import DomainError


class ScheduledInPast(DomainError):
    """The day is over in its zone, or the time has passed."""

    code, status, title = "scheduled_in_past", 422, "The scheduled time is in the past"
