"""Errors of passkeys."""

from auth_service.audit.errors import NotAudited
from shared.errors import Conflict, DomainError, Unauthorized


class CredentialInvalid(DomainError):
    """A passkey's response is malformed, forged, or meant for another service, user or request."""

    code, status, title = "credential_invalid", 422, "The passkey cannot be accepted"
    advice = "Ask for new options and send the response to them once, or use another method"


class SignCountNotIncreased(CredentialInvalid):
    """The signature is right, but its counter is not above the last one: a copy may be in use.

    Clients see no difference; the caller records it. Source: WebAuthn level 3 §6.1.1.
    """

    def __init__(self, stored: int, received: int) -> None:
        super().__init__(reason=f"sign count {received} is not above {stored}")
        self.stored, self.received = stored, received


class PasskeyRefused(Unauthorized, NotAudited):
    """A sign-in by a passkey alone has failed; the answer gives no reason."""

    code, title = "credential_invalid", "The passkey is not accepted"
    advice = "Ask for new options and try again, or sign in another way"


class PasskeysUnavailable(Conflict):
    """This installation is reached by an IP address, for which browsers make no passkey."""

    code, title = "passkeys_unavailable", "This installation's address allows no passkeys"
    advice = (
        "Browsers refuse passkeys for an IP address: reach the service by a name, such as "
        "localhost, and set `PUBLIC_URL` or `WEBAUTHN_RP_ID` to it"
    )
