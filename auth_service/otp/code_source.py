"""The source of codes: each is drawn at random, or fixed by `TEST_CODES`."""

from dataclasses import dataclass

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.otp.model import HANDLE_BYTES, Purpose, generate_code
from auth_service.settings import AuthSettings
from shared.entropy import Entropy
from shared.logs import mask


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSource:
    """Gives codes and handles. The use of a fixed code is audited."""

    settings: AuthSettings
    audit: AuditLog
    entropy: Entropy

    def draw_handle(self) -> str:
        """Return an unpredictable value in hexadecimal digits."""
        return self.entropy.bytes(HANDLE_BYTES).hex()

    def code_for(self, destination: Destination) -> tuple[str, bool]:
        """Return a code, and whether it is fixed and must not be sent."""
        fixed = self.settings.code_by_test_address.get(destination.address)
        return (generate_code(self.entropy), False) if fixed is None else (fixed, True)

    async def record_test_code(
        self, purpose: Purpose, destination: Destination, client: Client
    ) -> None:
        """Store the event of a fixed code that was used.

        Raises:
            ServiceUnavailable: it cannot be stored, so the code must not count.
        """
        origin = Origin(client.address, client.user_agent, client.request_id)
        details = {"purpose": purpose, "to": mask(destination.address)}
        await self.audit.append(Event("test_code.used", origin, details=details))
