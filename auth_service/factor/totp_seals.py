"""Secrets of authenticators under a seal, and the codes that fit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from auth_service.factor.model import SealedTotp, TotpUse
from auth_service.factor.totp import matching_steps
from auth_service.keyring import Keyring, SealBrokenError
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TotpSeals:
    """Seals the secrets of authenticators, each to its own row."""

    keyring: Keyring

    def seal(self, factor_id: UUID, secret: bytes) -> bytes:
        """Return the secret sealed under the newest key."""
        return self.keyring.seal("totp", factor_id.bytes + secret)

    def find_uses(self, factors: Sequence[SealedTotp], code: str, now: datetime) -> list[TotpUse]:
        """Return the uses of a code that is right and newer than the last one.

        Their secrets are sealed anew, so that they outlive the keys that sealed them before. A
        secret that no key opens does not stop the others. There a wrong code counts as a guess: an
        answer 503 would make guesses free.

        Raises:
            ServiceUnavailable: no configured key opens any of the secrets.
        """
        found: list[TotpUse | None] = []
        for factor in factors:
            try:
                found.append(self._find_use(factor, code, now))
            except SealBrokenError:
                log.error("totp.seal_broken", factor_id=str(factor.id))
        if factors and not found:
            raise ServiceUnavailable(detail="The key of the second factor is not known here")
        return [use for use in found if use]

    def reseal(self, factor: SealedTotp) -> bytes | None:
        """Return the secret sealed under the newest key; None when it is already.

        Raises:
            SealBrokenError: no configured key opens the secret, or it belongs to another row.
        """
        if self.keyring.is_sealed_by_newest("totp", factor.secret):
            return None
        return self.seal(factor.id, self._open(factor))

    def _find_use(self, factor: SealedTotp, code: str, now: datetime) -> TotpUse | None:
        secret = self._open(factor)
        for step in matching_steps(secret, code, now):
            if step > factor.last_step:
                return TotpUse(factor.id, step, self.seal(factor.id, secret))
        return None

    def _open(self, factor: SealedTotp) -> bytes:
        plain = self.keyring.open("totp", factor.secret)
        if not plain.startswith(factor.id.bytes):
            raise SealBrokenError
        return plain.removeprefix(factor.id.bytes)
