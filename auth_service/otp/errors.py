"""Refusals of codes."""

from auth_service.audit.errors import Unremarkable
from shared.errors import Unauthorized


class OtpInvalid(Unauthorized):
    """The code is wrong, spent, expired, or there is none; which of them is not said."""

    code, title = "otp_invalid", "The code is not valid"
    advice = "The code is wrong, used up or too old; check it, or ask for another"


class NothingSent(OtpInvalid, Unremarkable):
    """There was no live code or ticket to be right or wrong about; the answer does not say so."""
