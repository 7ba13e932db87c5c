"""Sealing secrets of authenticators anew, so that a key that has been replaced can be dropped."""

from dataclasses import dataclass
from uuid import UUID

from auth_service.factor import repository
from auth_service.factor.totp_seals import TotpSeals
from auth_service.keyring import SealBrokenError
from shared.db import Database

BATCH = 500
FIRST_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class SecretResealer:
    """Seals every secret under the newest key. Any number of replicas may run it concurrently."""

    database: Database
    totp_seals: TotpSeals

    async def run(self) -> int:
        """Seal the secrets that an older key has sealed; return how many.

        A secret that no key opens stays as it is: the key may come back.
        """
        count, after = 0, FIRST_ID
        if len(self.totp_seals.keyring.keys("totp")) == 1:
            return 0
        while batch := await repository.list_totp_after(self.database, after, BATCH):
            after = batch[-1].id
            for factor in batch:
                try:
                    fresh = self.totp_seals.reseal(factor)
                except SealBrokenError:
                    continue
                if fresh:
                    count += await repository.replace_secret(self.database, factor, fresh)
        return count
