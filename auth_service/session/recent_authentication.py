"""How long an authentication counts as recent."""

from datetime import datetime, timedelta

from auth_service.session.errors import StepUpRequired
from auth_service.session.model import BY_CODE, BY_PASSWORD, MFA, Caller

RECENT = timedelta(minutes=5)
FIRST_FACTORS = (*BY_PASSWORD, *BY_CODE)
BY_CODE_ADVICE = (
    "Prove your identity by a code: POST /v1/auth/step-up with `{}`, and again with the code as "
    "`otp`; then use the access token that it answers. The password is not enough here"
)


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


def require_may_add_factor(caller: Caller, now: datetime) -> None:
    """Return if the caller may add a second factor.

    The first one needs a code to a verified contact, unless the user has none: after a stolen
    password alone, the owner could never sign in again.

    Raises:
        StepUpRequired: the last authentication is too old, without a factor, or by the password.
    """
    require_recent_authentication(caller, now)
    if caller.user.factor_kinds or not caller.user.addresses:
        return
    latest = next((one for one in reversed(caller.amr) if one in FIRST_FACTORS), None)
    if latest not in BY_CODE:
        raise StepUpRequired(BY_CODE_ADVICE)
