"""Refusals of what only a freshly proven user may do."""

from shared.errors import DomainError


class StepUpRequired(DomainError):
    """Who is calling is known, but was proven too long ago for this."""

    code, status, title = "step_up_required", 403, "Prove once more who you are"
    advice = (
        "Prove once more who you are: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
