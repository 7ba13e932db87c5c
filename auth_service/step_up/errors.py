"""The refusal of operations that need a recent authentication."""

from shared.errors import DomainError


class StepUpRequired(DomainError):
    """The caller's last authentication is too old for this operation."""

    code, status, title = "step_up_required", 403, "Prove once more who you are"
    advice = (
        "Prove once more who you are: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
