"""How long an authentication counts as recent."""

from datetime import datetime, timedelta

from auth_service.session.errors import StepUpRequired
from auth_service.session.model import Caller

RECENT = timedelta(minutes=5)


def require_recent_authentication(caller: Caller, now: datetime) -> None:
    """Return if the caller's token has a recent authentication time.

    Raises:
        StepUpRequired: it is older than 5 minutes.
    """
    if now - caller.auth_time > RECENT:
        raise StepUpRequired
