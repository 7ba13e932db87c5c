"""Loads the relying party, with its library, when the first passkey needs it."""

import asyncio
from typing import TYPE_CHECKING

from auth_service.settings import AuthSettings
from auth_service.settings.passkeys import is_address

if TYPE_CHECKING:
    from auth_service.passkey.relying_party import RelyingParty


class RelyingPartyLoader:
    """Gives the relying party of the settings."""

    def __init__(self, settings: AuthSettings) -> None:
        """Load nothing yet."""
        self._settings = settings
        self._loaded: RelyingParty | None = None

    @property
    def is_available(self) -> bool:
        """Tell whether browsers make passkeys for the address of this installation."""
        return not is_address(self._settings.relying_party_id)

    async def load(self) -> "RelyingParty":
        """Return the relying party; a thread loads the library for the first caller."""
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(self._load)
        return self._loaded

    def _load(self) -> "RelyingParty":
        # Imported when needed: the library costs 5 MiB and 150 ms.
        from auth_service.passkey.relying_party import RelyingParty  # noqa: PLC0415

        ours = self._settings
        return RelyingParty(ours.relying_party_id, ours.product_name, ours.passkey_origins)
