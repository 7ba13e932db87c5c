"""How long a proof of who one is counts, and where it can be asked for."""

from datetime import datetime, timedelta

from auth_service.destination import Destination
from auth_service.session.model import Caller
from auth_service.step_up.errors import StepUpRequired
from auth_service.user.model import User

FRESH = timedelta(minutes=5)


def require_fresh(caller: Caller, now: datetime) -> None:
    """Pass a caller whose token says that they proved who they are a moment ago.

    Raises:
        StepUpRequired: it was longer ago.
    """
    if now - caller.auth_time > FRESH:
        raise StepUpRequired


def reach(user: User) -> Destination | None:
    """Return where a code reaches the user for certain: the phone, else the mail address."""
    if user.phone_verified and user.phone_number:
        return Destination("sms", user.phone_number)
    if user.email_verified and user.email:
        return Destination("email", user.email)
    return None
