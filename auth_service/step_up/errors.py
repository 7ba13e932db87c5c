"""Refusals of what only a freshly proven user may do."""

from shared.errors import DomainError


class StepUpRequired(DomainError):
    """Who is calling is known, but was proven too long ago for this."""

    code, status, title = "step_up_required", 403, "Prove once more who you are, by /step-up"
