"""Errors of second factors."""

from shared.errors import Unauthorized


class MfaInvalid(Unauthorized):
    """The proof of a second factor is wrong or was used; the answer does not say which."""

    code, title = "mfa_invalid", "The second factor is not proven"
    advice = (
        "The proof is wrong or was used before: send the app's next code, another recovery code, "
        "or a response to new passkey options"
    )


class MfaTicketInvalid(Unauthorized):
    """The ticket is unknown, used, expired, tried too often, or another device's."""

    code, title = "mfa_ticket_invalid", "The ticket is not valid"
    advice = "The ticket is used up, too old, or belongs to another device; sign in again"
