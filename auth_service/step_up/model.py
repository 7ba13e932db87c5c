"""How long a proof of who one is counts."""

from datetime import datetime, timedelta

from auth_service.session.model import Caller
from auth_service.step_up.errors import StepUpRequired

RECENT = timedelta(minutes=5)


def require_recent_authentication(caller: Caller, now: datetime) -> None:
    """Pass a caller whose token says that they proved who they are a moment ago.

    Raises:
        StepUpRequired: it was longer ago.
    """
    if now - caller.auth_time > RECENT:
        raise StepUpRequired
