"""Admission: one object that says whose a token is, and whether it still counts."""

from shared.revocation.mirror import Mirror
from shared.tokens import Claims, TokenVerifier


class Admission:
    """The verifier and the mirror together; no network, no database, no lock."""

    def __init__(self, verifier: TokenVerifier, mirror: Mirror) -> None:
        """Use both as they are kept up to date by others."""
        self._verifier = verifier
        self._mirror = mirror

    def admit(self, token: str) -> Claims:
        """Return whose the token is; cheap enough to be asked twice in one request.

        Raises:
            TokenInvalid: it is forged, malformed, for somebody else or expired.
            TokenRevoked: it was cut off.
            ServiceUnavailable: what is revoked is not known right now.
        """
        claims = self._verifier.verify(token)
        self._mirror.check(claims)
        return claims
