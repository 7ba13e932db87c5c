"""Errors of codes."""

from auth_service.audit.errors import NotAudited
from shared.errors import Unauthorized


class OtpInvalid(Unauthorized):
    """The code is wrong, used, expired or missing; the answer does not say which."""

    code, title = "otp_invalid", "The code is not valid"
    advice = "The code is wrong, used up or too old; check it, or ask for another"


class NoActiveChallenge(OtpInvalid, NotAudited):
    """No code or ticket is active; the answer looks like that of a wrong one."""
