"""Refusals of codes."""

from shared.errors import Unauthorized


class OtpInvalid(Unauthorized):
    """The code is wrong, spent, expired, or there is none; which of them is not said."""

    code, title = "otp_invalid", "The code is not valid"
