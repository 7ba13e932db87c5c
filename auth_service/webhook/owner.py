"""The owner of webhooks: all administrators together."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.event.model import OPERATORS
from auth_service.session.model import Caller
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.webhook.repository import lock_owner
from shared.db import Connection
from shared.webhooks.endpoint.model import EndpointAct


@dataclass(frozen=True, slots=True)
class Administrators:
    """The administrators together. The request is sent by `caller`, and `now` is its time."""

    caller: Caller
    now: datetime
    origin: Origin
    audit: AuditLog
    id: UUID = OPERATORS

    async def before_act(
        self,
        connection: Connection,
        act: EndpointAct,
        endpoint_id: UUID,
        url: str | None = None,
    ) -> None:
        """Store the audit event of the act; before a creation, wait for another one to end.

        It names the host that webhooks go to, but not the URL, which may hold a key.

        Raises:
            StepUpRequired: the act decides where events go, or shows a secret, and the
                administrator's last authentication is too old, or without a factor.
        """
        if act != "webhook.deleted":
            require_recent_authentication(self.caller, self.now)
        if act == "webhook.created":
            await lock_owner(connection)
        details = {"webhook": str(endpoint_id)}
        if url is not None:
            details["host"] = urlsplit(url).hostname or ""
        event = Event(act, self.origin, actor_id=self.caller.user.id, details=details)
        await self.audit.append(event, connection)
