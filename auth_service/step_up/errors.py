"""The refusal of operations that need a recent authentication."""

from shared.errors import DomainError


class StepUpRequired(DomainError):
    """The caller's last authentication is too old for this operation."""

    code, status, title = "step_up_required", 403, "Prove your identity again"
    advice = (
        "Prove your identity again: POST /v1/auth/step-up, then use the access token that it "
        "answers. It counts for 5 minutes"
    )
