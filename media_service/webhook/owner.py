"""The owners of webhooks: users."""

from dataclasses import dataclass
from uuid import UUID

from media_service.quota.model import QuotaLimits
from media_service.quota.service import reserve_bytes
from shared.db import Connection
from shared.webhooks.endpoint.model import EndpointAct


@dataclass(frozen=True, slots=True)
class UserOwner:
    """A user who owns endpoints."""

    id: UUID
    quota: QuotaLimits

    async def before_act(
        self, connection: Connection, act: EndpointAct, endpoint_id: UUID, url: str | None = None
    ) -> None:
        """Lock the user's row before an endpoint is created.

        Raises:
            TokenRevoked: the user is deleted.
        """
        del endpoint_id, url
        if act == "webhook.created":
            await reserve_bytes(connection, self.id, None, self.quota)
