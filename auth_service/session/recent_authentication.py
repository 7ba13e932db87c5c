"""How long an authentication counts as recent."""

from datetime import datetime, timedelta

from auth_service.session.errors import StepUpRequired
from auth_service.session.model import MFA, Caller

RECENT = timedelta(minutes=5)


def require_recent_authentication(caller: Caller, now: datetime) -> None:
    """Return if the caller has authenticated recently, by a second factor if the user has one.

    Raises:
        StepUpRequired: it was more than 5 minutes ago, or without a factor.
    """
    if now - caller.auth_time > RECENT:
        raise StepUpRequired
    # step-up asks each user with a factor for it, so the last authentication has proven one
    if caller.user.factor_kinds and MFA not in caller.amr:
        raise StepUpRequired
